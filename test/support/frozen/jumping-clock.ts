/** The machine's clock with jumps: as if the process had been frozen for longer than it was. */
import type { Clock } from '../../../src/clock.js'

/** A clock that can jump ahead. */
export interface JumpingClock extends Clock {
  /** Jumps ahead by `ms` milliseconds and fires the timers that are due then, in order, like a process that resumes. */
  jump(ms: number): void
}

interface Timer {
  readonly dueAt: number
  fire(): void
}

/** Creates the clock. */
export function createJumpingClock(): JumpingClock {
  let aheadMs = 0
  const timers = new Set<Timer>()
  const monotonicNow = () => performance.now() + aheadMs
  return {
    now: () => Date.now() + aheadMs,
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
    jump(ms) {
      aheadMs += ms
      const due = [...timers].filter(({ dueAt }) => dueAt <= monotonicNow())
      for (const timer of due.sort((a, b) => a.dueAt - b.dueAt)) if (timers.has(timer)) timer.fire()
    },
  }
}
