/**
 * Time, injected: the clock that a receiver reads, and the one way to limit how long something may take. Of what a receiver is made of
 * only `adapters/node-request.ts` and `inboxes/bullmq.ts` know the machine's time in another way; `docs/design.md` says what for.
 */
import { isPromiseLike } from './maybe-promise.js'

/** The receiver's time. Times are epoch milliseconds, durations milliseconds. */
export interface Clock {
  /** The time now, in epoch milliseconds. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds; the returned function cancels it. */
  setTimer(ms: number, fn: () => void): () => void
}

/** The longest a timer of Node or a browser can be set for; beyond it `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's own clock. A timer that is set keeps a Node process alive: what it stands for is still going on. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}

/** How a limited piece of work ended. */
export type TimeoutResult<T> =
  | { readonly status: 'value'; readonly value: T }
  | { readonly status: 'error'; readonly error: unknown }
  | { readonly status: 'late' }

const LATE: TimeoutResult<never> = { status: 'late' }

/**
 * Runs `work` and waits for it at most `ms` milliseconds. Never rejects: a thrown error is a result. What comes after the limit is
 * dropped, a rejection too; it never stays unhandled.
 */
export function withTimeout<T>(
  clock: Clock,
  ms: number,
  work: () => T | PromiseLike<T>,
): Promise<TimeoutResult<T>> | TimeoutResult<T> {
  if (ms <= 0) return LATE
  let pending: T | PromiseLike<T>
  try {
    pending = work()
  } catch (error) {
    return { status: 'error', error }
  }
  if (!isPromiseLike(pending)) return { status: 'value', value: pending }
  return raceWithTimer(clock, ms, pending)
}

function raceWithTimer<T>(clock: Clock, ms: number, pending: PromiseLike<T>): Promise<TimeoutResult<T>> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(ms, () => resolve(LATE))
    const settle = (settled: TimeoutResult<T>) => {
      cancel()
      resolve(settled)
    }
    pending.then(
      (value) => settle({ status: 'value', value }),
      (error: unknown) => settle({ status: 'error', error }),
    )
  })
}

/** The time an answer has left. */
export interface Deadline {
  /** When it started, in epoch milliseconds. */
  readonly startedAt: number
  /** Milliseconds left; 0 or less when it is over. */
  left(): number
}

/** Starts a deadline of `ms` milliseconds. */
export function startDeadline(clock: Clock, ms: number): Deadline {
  const startedAt = clock.now()
  // A machine's clock may be set back meanwhile; the answer must not wait for it to catch up.
  return { startedAt, left: () => Math.min(ms, startedAt + ms - clock.now()) }
}
