/**
 * Stage 7 of 8, completion: records in the store how an attempt ended. In: a claimed attempt. Out: what the store did and what is still
 * being written. If the store doesn't confirm a completion, it is written again in the background: the handlers have run, and another
 * attempt would run them twice.
 */
import { monotonicMs, withTimeout } from '../clock.js'
import { andThen } from '../maybe-promise.js'
import { keepLease } from './lease.js'
import { type Attempt, aboutReport, type ClaimedAttempt, MAX_CALL_MS, type Services } from './verified-event.js'

/** `recorded`: the store confirmed. `lost`: another process has the claim, so nothing changed. `unknown`: no result, or an error. */
type Recorded = 'recorded' | 'lost' | 'unknown'

/** A write that has been attempted. */
export interface Written {
  /** Another process has claimed the delivery, so this attempt must not write anything. */
  readonly isLost: boolean
  /** The retries, if the write is still missing. Never rejects. */
  readonly rest: Promise<unknown> | undefined
}

/** The store has it. */
export const WRITTEN: Written = { isLost: false, rest: undefined }
const LOST: Written = { isLost: true, rest: undefined }

const LOST_COMPLETION =
  'A completion arrived after another process had claimed the delivery. It changed nothing, and the event may be processed twice.'
/** The report of a failed attempt that lost its claim. */
export const LOST_RELEASE =
  'A failed attempt ended after another process had claimed the delivery. It changed nothing about that claim.'

/** Records the delivery as finished. `isQuarantined`: finished for the sender, but it can be reprocessed. */
export function completeClaim(attempt: ClaimedAttempt, isQuarantined: boolean): Written | Promise<Written> {
  const { services, event, claim } = attempt
  const { key, token, completedHandlers } = claim
  const toRequest = () => ({
    key,
    token,
    retainUntil: event.retainUntil,
    quarantined: isQuarantined,
    completedHandlers: [...completedHandlers],
    waitMs: MAX_CALL_MS,
  })
  const write = () => record(services, () => services.store.complete(toRequest()))
  return andThen(write(), (recorded) => {
    if (recorded === 'unknown') return { isLost: false, rest: completeInBackground(attempt, write) }
    if (recorded === 'recorded') return WRITTEN
    reportLost(attempt, LOST_COMPLETION)
    return LOST
  })
}

async function completeInBackground(attempt: ClaimedAttempt, write: () => MaybeRecorded): Promise<void> {
  const { services, event } = attempt
  const message = 'The store did not confirm a completion. It is written again in the background.'
  services.reporter.report({ ...aboutReport(event), code: 'completion_delayed', message }, event.delivery)
  if (!event.delivery.freezesAfterResponse) keepLease(attempt, () => {})
  const recorded = await retryInBackground(services, write, (result) => result !== 'unknown')
  if (recorded === 'lost') reportLost(attempt, LOST_COMPLETION)
  if (recorded !== 'unknown') return
  const abandoned = 'The store did not confirm a completion for too long. A later attempt may process the event again.'
  services.reporter.report({ ...aboutReport(event), code: 'completion_abandoned', message: abandoned }, event.delivery)
}

/**
 * Releases the claim for another attempt. `isCounted`: whether this was an attempt. If the release fails, the lease expires before the
 * next attempt, which then counts from here.
 */
export async function releaseClaim(attempt: ClaimedAttempt, isCounted: boolean): Promise<void> {
  const { services, claim } = attempt
  const { key, token, completedHandlers } = claim
  const request = { key, token, completedHandlers: [...completedHandlers], counted: isCounted, waitMs: MAX_CALL_MS }
  const recorded = await record(services, () => services.store.release(request))
  if (recorded === 'lost') reportLost(attempt, LOST_RELEASE)
}

type MaybeRecorded = Recorded | Promise<Recorded>

function record({ settings }: Services, write: () => boolean | PromiseLike<boolean>): MaybeRecorded {
  return andThen(withTimeout(settings.clock, MAX_CALL_MS, write), (result) => {
    // Only a boolean is a result. If anything else counted as `true`, a broken store would have the event processed again.
    if (result.status !== 'value' || typeof result.value !== 'boolean') return 'unknown'
    return result.value ? 'recorded' : 'lost'
  })
}

/** Reports that another process has claimed the delivery. */
export function reportLost({ services, event }: Attempt, message: string): void {
  services.reporter.report({ ...aboutReport(event), code: 'lease_lost', message }, event.delivery)
}

const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 10_000

/** Writes again at growing intervals until `isDone`, at most for two hours or, once the receiver is closing, 10 s. */
export async function retryInBackground<Result>(
  services: Services,
  write: () => Result | Promise<Result>,
  isDone: (result: Result) => boolean,
): Promise<Result> {
  const { clock } = services.settings
  const since = monotonicMs(clock)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve))
    const result = await write()
    if (isDone(result) || monotonicMs(clock) >= services.retryUntil(since)) return result
  }
}
