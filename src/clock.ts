/**
 * Time, injected: the clock of a receiver, and the one way to limit how long a call may take. Only `adapters/node-request.ts` and
 * `inboxes/bullmq/job-processor.ts` read the machine's time in another way; `docs/contributing/architecture.md` says why.
 */
import { isPromiseLike } from './maybe-promise.js'

/** A receiver's clock. Times are epoch milliseconds, durations milliseconds. */
export interface Clock {
  /** The time now, in epoch milliseconds. */
  now(): number
  /**
   * Milliseconds from an arbitrary start that never jump, for durations: a machine's wall clock can be set. Default: `now()`.
   */
  monotonicNow?(): number
  /**
   * Calls `fn` once after `ms` milliseconds. The returned function cancels the timer. `isIdle`: nothing is in flight, so the timer should
   * not keep the process alive.
   */
  setTimer(ms: number, fn: () => void, options?: { readonly isIdle?: boolean }): () => void
}

/** The maximum of a timer in Node and browsers. Beyond it, `setTimeout` fires immediately. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's clock. Unless it is idle, a timer keeps a Node process alive, because the work it limits is still in flight. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  setTimer(ms, fn, { isIdle = false } = {}) {
    const timer = setTimeout(fn, ms)
    // In Node a timer is an object, elsewhere a number.
    if (isIdle) (timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer)
  },
}

/** Wraps a clock of the application: if a function throws or returns garbage, the machine's clock takes its place. */
export function guardClock(clock: Clock): Clock {
  const guarded = <T>(read: () => unknown, isValid: (value: unknown) => value is T, fallback: () => T): T => {
    try {
      const value = read()
      if (isValid(value)) return value
    } catch {
      // The fallback takes its place.
    }
    return fallback()
  }
  const isNumber = (value: unknown): value is number => Number.isFinite(value)
  const isFunction = (value: unknown): value is () => void => typeof value === 'function'
  const now = () => guarded(() => clock.now(), isNumber, systemClock.now)
  let last = 0
  return {
    now,
    monotonicNow() {
      last =
        clock.monotonicNow === undefined
          ? now()
          : guarded(
              () => clock.monotonicNow?.(),
              isNumber,
              () => last,
            )
      return last
    },
    setTimer(ms, fn, options) {
      let isThrown = true
      const set = () => {
        const cancel = clock.setTimer(ms, fn, options)
        isThrown = false
        return cancel
      }
      const cancel = guarded(set, isFunction, () => (isThrown ? systemClock.setTimer(ms, fn, options) : () => {}))
      return () => {
        try {
          cancel()
        } catch {
          // The timer may still fire; what it would end has ended.
        }
      }
    },
  }
}

/** How a call with a time limit ended. */
export type TimeoutResult<T> =
  | { readonly status: 'value'; readonly value: T }
  | { readonly status: 'error'; readonly error: unknown }
  | { readonly status: 'late' }

const LATE: TimeoutResult<never> = { status: 'late' }

/**
 * Calls a function and waits for its result at most `ms` milliseconds. Never rejects: an error is a result. A value or rejection that
 * arrives after the limit is dropped and never stays unhandled.
 */
export function withTimeout<T>(
  clock: Clock,
  ms: number,
  call: () => T | PromiseLike<T>,
): Promise<TimeoutResult<T>> | TimeoutResult<T> {
  if (ms <= 0) return LATE
  try {
    const pending = call()
    return isPromiseLike(pending) ? raceWithTimer(clock, ms, pending) : { status: 'value', value: pending }
  } catch (error) {
    return { status: 'error', error }
  }
}

function raceWithTimer<T>(clock: Clock, ms: number, pending: PromiseLike<T>): Promise<TimeoutResult<T>> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(ms, () => resolve(LATE))
    const end = (result: TimeoutResult<T>) => {
      cancel()
      resolve(result)
    }
    // A foreign thenable may throw, or call back more than once.
    Promise.resolve(pending).then(
      (value) => end({ status: 'value', value }),
      (error: unknown) => end({ status: 'error', error }),
    )
  })
}

/** Milliseconds for measuring durations with this clock. */
export function monotonicMs(clock: Clock): number {
  return clock.monotonicNow ? clock.monotonicNow() : clock.now()
}

/** The time limit of a response. */
export interface Deadline {
  /** When it started, in epoch milliseconds. */
  readonly startedAt: number
  /** Milliseconds left; 0 or less once it has passed. */
  left(): number
  /** Milliseconds since the start. */
  elapsed(): number
}

/** Starts a deadline of `ms` milliseconds. */
export function startDeadline(clock: Clock, ms: number): Deadline {
  const start = monotonicMs(clock)
  const elapsed = () => monotonicMs(clock) - start
  return { startedAt: clock.now(), elapsed, left: () => Math.min(ms, ms - elapsed()) }
}

/** Calls a function after the current event-loop turn, without a timer. */
export function runSoon(clock: Clock, fn: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (fn: () => void) => void }
  if (setImmediate) setImmediate(fn)
  else clock.setTimer(0, fn)
}
