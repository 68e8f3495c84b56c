/** The machine's clock with jumps: as if the process had been frozen for longer than it was. */
import { readFileSync } from 'node:fs'
import type { Clock } from '../../../src/clock.js'

/** A clock that can jump ahead. */
export interface JumpingClock extends Clock {
  /** Fires the timers that are due after a jump, in order, like a process that resumes. */
  fireDue(): void
}

interface Timer {
  readonly dueAt: number
  fire(): void
}

/**
 * Creates the clock. `file` holds how many milliseconds it is ahead. A message would arrive too late: timers fire first when a process
 * resumes.
 */
export function createJumpingClock(file: string): JumpingClock {
  const aheadMs = () => Number(readFileSync(file, 'utf8'))
  const timers = new Set<Timer>()
  const monotonicNow = () => performance.now() + aheadMs()
  return {
    now: () => Date.now() + aheadMs(),
    monotonicNow,
    setTimer(ms, fn) {
      const timer: Timer = {
        dueAt: monotonicNow() + ms,
        fire() {
          cancel()
          fn()
        },
      }
      const real = setTimeout(timer.fire, ms)
      const cancel = () => {
        clearTimeout(real)
        timers.delete(timer)
      }
      timers.add(timer)
      return cancel
    },
    fireDue() {
      const due = [...timers].filter(({ dueAt }) => dueAt <= monotonicNow())
      for (const timer of due.sort((a, b) => a.dueAt - b.dueAt)) if (timers.has(timer)) timer.fire()
    },
  }
}
