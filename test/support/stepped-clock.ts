/** A fixed clock whose wall time can be set, and whose process can freeze. Its monotonic time is another number than its wall time. */
import { type FixedClock, fixedClock } from '../../src/testing/index.js'

/** A clock for tests of jumps of the machine's clock. Timers follow the monotonic time. */
export interface SteppedClock extends FixedClock {
  monotonicNow(): number
  /** Sets the machine's clock ahead by `ms` milliseconds, or back if `ms` is negative. No time passes. */
  step(ms: number): void
  /** Lets `ms` milliseconds pass in which the process runs nothing, not even a timer. */
  freeze(ms: number): void
}

/** Creates a clock whose wall time starts at `start`. */
export function steppedClock(start: number | string): SteppedClock {
  const inner = fixedClock(start)
  const startedAt = inner.now()
  let offset = 0
  return {
    ...inner,
    now: () => inner.now() + offset,
    monotonicNow: () => inner.now() - startedAt + 12_345,
    step(ms) {
      offset += ms
    },
    freeze: (ms) => inner.set(inner.now() + ms),
    nextTimerAt() {
      const at = inner.nextTimerAt()
      return at === undefined ? undefined : at + offset
    },
  }
}
