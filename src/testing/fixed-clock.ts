/**
 * A clock that stands still until it is told to go on: time and timers without waiting.
 */
import type { Clock } from '../clock.js'
import { WebhookError } from '../errors.js'

/** A clock for tests. */
export interface FixedClock extends Clock {
  /**
   * Goes on by `ms` milliseconds, firing each timer at its own time, in order; lets what it set going settle before the next.
   */
  advance(ms: number): Promise<void>
  /** Sets the time without firing anything, as a machine's clock may jump. */
  set(epochMs: number): void
  /** How many timers are set: 0 once everything was put away. */
  pendingTimers(): number
  /** When the next timer fires, in epoch milliseconds; absent when none is set. */
  nextTimerAt(): number | undefined
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly fn: () => void
}

/**
 * Makes a clock that starts at `start` (epoch milliseconds, or an ISO 8601 text).
 *
 * @throws WebhookError `option_invalid` when `start` is no time.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { fixedClock } from 'govalid-webhooks/testing'
 *
 * const clock = fixedClock('2025-01-29T12:00:30Z')
 * const receiver = createReceiver({ secret: 'a secret', clock })
 * await clock.advance(60_000)
 * ```
 */
export function fixedClock(start: number | string = Date.now()): FixedClock {
  let now = typeof start === 'number' ? start : Date.parse(start)
  if (!Number.isFinite(now)) {
    throw new WebhookError(
      'option_invalid',
      `A clock starts at epoch milliseconds or an ISO 8601 text, not ${JSON.stringify(start)}.`,
    )
  }
  let order = 0
  const timers = new Set<Timer>()
  return {
    now: () => now,
    setTimer(ms, fn) {
      const timer: Timer = { at: now + Math.max(0, ms), order: order++, fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const target = now + ms
      await settle()
      for (let next = earliest(timers, target); next; next = earliest(timers, target)) {
        timers.delete(next)
        now = Math.max(now, next.at)
        next.fn()
        await settle()
      }
      now = target
    },
    set(epochMs) {
      now = epochMs
    },
    pendingTimers: () => timers.size,
    nextTimerAt: () => earliest(timers, Number.POSITIVE_INFINITY)?.at,
  }
}

function earliest(timers: ReadonlySet<Timer>, until: number): Timer | undefined {
  let found: Timer | undefined
  for (const timer of timers) {
    if (timer.at > until) continue
    if (!found || timer.at < found.at || (timer.at === found.at && timer.order < found.order)) found = timer
  }
  return found
}

/** Lets every promise that can settle now do so: a macrotask comes after all of them. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    const immediate = (globalThis as { setImmediate?: (fn: () => void) => void }).setImmediate
    if (immediate) immediate(resolve)
    else setTimeout(resolve, 0)
  })
}
