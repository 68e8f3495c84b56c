/**
 * A clock that stands still until a test advances it, so that tests of time and timers don't wait.
 */
import type { Clock } from '../clock.js'
import { WebhookError } from '../errors.js'

/** A clock for tests. */
export interface FixedClock extends Clock {
  /**
   * Advances the time by `ms` milliseconds and fires each due timer at its own time, in order. Settled promises run their callbacks before
   * the next timer fires.
   */
  advance(ms: number): Promise<void>
  /** Sets the time without firing timers, like a jump of the machine's clock. */
  set(epochMs: number): void
  /** Returns the number of pending timers: 0 once every timer has fired or is canceled. */
  pendingTimers(): number
  /** Returns the time of the next timer in epoch milliseconds, or `undefined` if no timer is pending. */
  nextTimerAt(): number | undefined
}

interface Timer {
  readonly dueAt: number
  readonly order: number
  readonly fn: () => void
}

/**
 * Creates a clock that starts at `start`: epoch milliseconds or ISO 8601 text. Default: the current time.
 *
 * @throws WebhookError `option_invalid` if `start` isn't a valid time.
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
      `fixedClock expects epoch milliseconds or ISO 8601 text, but got ${JSON.stringify(start)}. See docs/reference/testing.md.`,
    )
  }
  let order = 0
  const timers = new Set<Timer>()
  return {
    now: () => now,
    setTimer(ms, fn) {
      const timer: Timer = { dueAt: now + Math.max(0, ms), order: order++, fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const target = now + ms
      await settle()
      for (let next = earliest(timers, target); next; next = earliest(timers, target)) {
        timers.delete(next)
        now = Math.max(now, next.dueAt)
        next.fn()
        await settle()
      }
      now = target
    },
    set(epochMs) {
      now = epochMs
    },
    pendingTimers: () => timers.size,
    nextTimerAt: () => earliest(timers, Number.POSITIVE_INFINITY)?.dueAt,
  }
}

function earliest(timers: ReadonlySet<Timer>, until: number): Timer | undefined {
  let found: Timer | undefined
  for (const timer of timers) {
    if (timer.dueAt > until) continue
    if (!found || timer.dueAt < found.dueAt || (timer.dueAt === found.dueAt && timer.order < found.order)) found = timer
  }
  return found
}

/** Waits for a macrotask, which runs after every promise that can settle now. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    const immediate = (globalThis as { setImmediate?: (fn: () => void) => void }).setImmediate
    if (immediate) immediate(resolve)
    else setTimeout(resolve, 0)
  })
}
