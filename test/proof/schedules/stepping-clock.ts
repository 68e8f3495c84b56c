/** A clock that a schedule advances. Every due timer fires at its own time, without awaiting its effects. */
import type { Clock } from '../../../src/index.js'

/** The clock of a schedule. */
export interface SteppingClock extends Clock {
  /** Advances by `ms` milliseconds. */
  pass(ms: number): void
  /** Advances to the next timer and fires it. Returns `false` if there is none. */
  next(): boolean
  /** The number of pending timers. */
  pending(): number
}

/** Starts a clock. */
export function steppingClock(start: number): SteppingClock {
  let now = start
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>()
  const earliest = () =>
    [...timers].reduce<{ at: number; fn: () => void } | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    )
  const fire = (timer: { readonly at: number; readonly fn: () => void }) => {
    timers.delete(timer)
    now = Math.max(now, timer.at)
    timer.fn()
  }
  return {
    now: () => now,
    setTimer(ms, fn) {
      const timer = { at: now + Math.max(0, ms), fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    pass(ms) {
      const target = now + ms
      for (let timer = earliest(); timer && timer.at <= target; timer = earliest()) fire(timer)
      now = target
    },
    next() {
      const timer = earliest()
      if (timer) fire(timer)
      return timer !== undefined
    },
    pending: () => timers.size,
  }
}
