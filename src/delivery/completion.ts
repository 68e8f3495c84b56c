/**
 * Stage 7 of 8, completion: tells the store how the try ended. In: a held claim. Out: whether the store knows.
 * A completion that the store does not take is written again behind the answer: the effect has happened, another try would double it.
 */
import { type Clock, settleWithin } from '../clock.js'
import type { CompleteRequest, ReleaseRequest, Store } from '../stores/store.js'

/** `recorded`: the store knows. `lost`: another owner has the claim, nothing was changed. `unknown`: no answer, or an error. */
export type Recorded = 'recorded' | 'lost' | 'unknown'

/** Marks a delivery finished. */
export function completeClaim(
  store: Store<unknown>,
  clock: Clock,
  limitMs: number,
  request: CompleteRequest,
): Promise<Recorded> {
  return record(clock, limitMs, () => store.complete(request))
}

/** Gives a claim back for another try. */
export function releaseClaim(
  store: Store<unknown>,
  clock: Clock,
  limitMs: number,
  request: ReleaseRequest,
): Promise<Recorded> {
  return record(clock, limitMs, () => store.release(request))
}

async function record(clock: Clock, limitMs: number, write: () => boolean | PromiseLike<boolean>): Promise<Recorded> {
  const settled = await settleWithin(clock, limitMs, write)
  if (settled.status !== 'value') return 'unknown'
  return settled.value ? 'recorded' : 'lost'
}

/** How a completion is written again. */
export interface CompletionRetry {
  readonly clock: Clock
  /** Writes once more. */
  attempt(): Promise<Recorded>
  /** Until when it is tried, in epoch milliseconds; asked before each try. */
  giveUpAt(): number
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/** Writes a completion again, at growing intervals, until the store answers or the time is over. */
export async function retryCompletion(retry: CompletionRetry): Promise<Recorded> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    await new Promise<void>((resolve) => retry.clock.setTimer(pauseMs, resolve))
    const recorded = await retry.attempt()
    if (recorded !== 'unknown' || retry.clock.now() >= retry.giveUpAt()) return recorded
  }
}
