/**
 * Stage 7 of 8, completion: tells the store how the try ended. In: a held claim. Out: whether the store knows.
 * A completion that the store does not take is written again behind the answer: the effect has happened, another try would double it.
 */
import { type Clock, type TimeoutResult, withTimeout } from '../clock.js'
import { andThen } from '../maybe-promise.js'
import type { CompleteRequest, ReleaseRequest, Store } from '../stores/store.js'

/** `recorded`: the store knows. `lost`: another owner has the claim, nothing was changed. `unknown`: no answer, or an error. */
export type Recorded = 'recorded' | 'lost' | 'unknown'

/** Marks a delivery finished. */
export function completeClaim(
  store: Store<unknown>,
  clock: Clock,
  limitMs: number,
  request: CompleteRequest,
): Recorded | Promise<Recorded> {
  return record(clock, limitMs, () => store.complete(request))
}

/** Gives a claim back for another try. */
export function releaseClaim(
  store: Store<unknown>,
  clock: Clock,
  limitMs: number,
  request: ReleaseRequest,
): Recorded | Promise<Recorded> {
  return record(clock, limitMs, () => store.release(request))
}

function record(
  clock: Clock,
  limitMs: number,
  write: () => boolean | PromiseLike<boolean>,
): Recorded | Promise<Recorded> {
  return andThen(withTimeout(clock, limitMs, write), readRecorded)
}

function readRecorded(settled: TimeoutResult<unknown>): Recorded {
  // Anything but a clear yes or no is no answer: taken for a yes, a broken store would have the event worked again.
  if (settled.status !== 'value' || typeof settled.value !== 'boolean') return 'unknown'
  return settled.value ? 'recorded' : 'lost'
}

/** Something that is written behind the answer until it is written. */
export interface BackgroundWrite<Result> {
  readonly clock: Clock
  /** Writes once more. */
  attempt(): Result | Promise<Result>
  /** Whether a result ends it. */
  isSettled(result: Result): boolean
  /** Until when it is tried, in epoch milliseconds; asked before each try. */
  giveUpAt(): number
}

const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 10_000

/** Writes again, at growing intervals, until a result ends it or the time is over. */
export async function retryInBackground<Result>(write: BackgroundWrite<Result>): Promise<Result> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    await new Promise<void>((resolve) => write.clock.setTimer(pauseMs, resolve))
    const result = await write.attempt()
    if (write.isSettled(result) || write.clock.now() >= write.giveUpAt()) return result
  }
}
