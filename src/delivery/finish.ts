/**
 * How a try ends: processed, failed, or set aside. Decides what stage 7 tells the store and what goes to the quarantine; what cannot be
 * written in time is written behind the answer.
 */
import { type Deadline, withTimeout } from '../clock.js'
import type { QuarantinedCode } from '../errors.js'
import { andThen } from '../maybe-promise.js'
import type { Outcome, OutcomeDetails } from '../types.js'
import { isKeptAhead, isLastAttempt, MAX_ATTEMPTS } from './attempt-budget.js'
import { STORE_CALL_MS } from './claim.js'
import { completeClaim, type Recorded, releaseClaim, retryInBackground } from './completion.js'
import { type DispatchResult, joinErrors } from './dispatch.js'
import { FUTURE_ALLOWANCE_MS } from './event.js'
import { type EventWork, endHandlers, keepRunLease, type Run, receivedAt, type WorkMeans } from './handler-run.js'
import { discardEntry, quarantine } from './quarantine.js'

const UNDATED_RETENTION_MS = 30 * 24 * 60 * 60 * 1000

/** How a try ended. */
export interface Ending {
  readonly outcome: Outcome
  /** What still has to be written; the outcome does not wait for it. */
  readonly background?: Promise<unknown> | undefined
}

/** What every outcome tells of its event. */
export function about({ read, key, secretIndex }: EventWork, attempt?: number): OutcomeDetails {
  if (attempt === undefined) return { event: read.event, idempotencyKey: key, secretIndex }
  return {
    event: read.event,
    idempotencyKey: key,
    secretIndex,
    attempt,
    attemptsLeft: Math.max(0, MAX_ATTEMPTS - attempt),
  }
}

/** Until when a delivery must be remembered: as long as its bytes would still be worked. */
export function retainUntil({ settings }: WorkMeans, { read, deadline, origin }: EventWork): number {
  const { maxAgeMs } = settings
  const undated = deadline.startedAt + UNDATED_RETENTION_MS
  if (maxAgeMs === false || read.epochMs === undefined) return undated
  const dated = read.epochMs + maxAgeMs + FUTURE_ALLOWANCE_MS
  // What comes out of the quarantine or an inbox may be past its age: a retention in the past would forget it at once.
  return origin.from === 'sender' ? dated : Math.max(dated, undated)
}

/** Settles a try whose handlers are done, or were given up. `late`: the answer has left. */
export function settle(run: Run, result: DispatchResult, deadline: Deadline, late: boolean): Ending | Promise<Ending> {
  endHandlers(run)
  return result.errors.length === 0 ? settleProcessed(run, deadline, late) : settleFailed(run, result, deadline, late)
}

const PROCESSED = { status: 'processed' } as const

function settleProcessed(run: Run, deadline: Deadline, late: boolean): Ending | Promise<Ending> {
  return andThen(complete(run, deadline, false), ({ background: completion }): Ending => {
    const { means, work, claim } = run
    const outcome = Object.assign(about(work, claim.attempt), PROCESSED)
    // Any other delivery cannot have an entry in the quarantine.
    const mayHaveEntry = late || work.origin.from !== 'sender' || isKeptAhead(means, work, claim.attempt)
    if (!mayHaveEntry) return { outcome, background: completion }
    return { outcome, background: Promise.all([completion, discardEntry(means.quarantine, work.key)]) }
  })
}

async function settleFailed(run: Run, result: DispatchResult, deadline: Deadline, late: boolean): Promise<Ending> {
  const { means, work, claim } = run
  const error = joinErrors(result.errors)
  const message = `A handler failed${late ? ', after the delivery had been answered' : ''} (try ${claim.attempt}).`
  means.reporter.report({ ...aboutDelivery(work), code: 'handler_failed', message, error })
  if (result.permanent) return settleAside(run, deadline, 'permanent_error', error, late)
  if (isLastAttempt(means, work, claim.attempt)) return settleAside(run, deadline, 'attempts_exhausted', error, late)
  const [kept, released] = await Promise.all([
    keepAhead(means, work, claim.attempt, deadline, error, late),
    release(run, deadline),
  ])
  const background =
    kept.background || released.background ? Promise.all([kept.background, released.background]) : undefined
  return { outcome: { ...about(work, claim.attempt), status: 'failed', error }, background }
}

/** Sets a claimed delivery aside: finished for the sender once the quarantine has it, another try otherwise. */
export async function settleAside(
  run: Run,
  deadline: Deadline,
  code: QuarantinedCode,
  error: unknown,
  late: boolean,
): Promise<Ending> {
  const { means, work, claim } = run
  const aside = await setAside(means, work, claim.attempt, deadline, code, error)
  const outcome: Outcome = { ...about(work, claim.attempt), ...aside }
  if (aside.status === 'quarantined') return { outcome, ...(await complete(run, deadline, true)) }
  // Nobody waits for an answer any more: the sink is asked again while the claim is held.
  if (late && aside.status === 'unavailable')
    return { outcome, background: settleAsideAgain(run, deadline, code, error) }
  return { outcome, ...(await release(run, deadline)) }
}

async function settleAsideAgain(run: Run, deadline: Deadline, code: QuarantinedCode, error: unknown): Promise<void> {
  const { status } = await setAsideAgain(run.means, run.work, run.claim.attempt, code, error)
  // Not kept after all: a later try must not find it done.
  const { background } = status === 'quarantined' ? await complete(run, deadline, true) : await release(run, deadline)
  await background
}

/** Gives a delivery to the quarantine, claimed or not. */
export function setAside(
  { quarantine: means }: WorkMeans,
  work: EventWork,
  attempt: number,
  deadline: Deadline,
  code: QuarantinedCode,
  error: unknown,
) {
  const { key, rawBody, delivery, read, origin } = work
  const from = { delivery, isAccepted: origin.from === 'inbox', receivedAt: receivedAt(work) }
  const given = { ...from, key, eventType: read.event.event, rawBody, code, attempt, error }
  return quarantine(means, deadline, given)
}

/** Keeps a failing delivery before its last try, which may never arrive. A sink that fails is asked again only when nobody waits. */
export async function keepAhead(
  means: WorkMeans,
  work: EventWork,
  attempt: number,
  deadline: Deadline,
  error: unknown,
  late = false,
): Promise<Pick<Ending, 'background'>> {
  if (!isKeptAhead(means, work, attempt)) return {}
  const aside = await setAside(means, work, attempt, deadline, 'retry_pending', error)
  if (aside.status === 'quarantined' || !late) return {}
  return { background: setAsideAgain(means, work, attempt, 'retry_pending', error) }
}

function setAsideAgain(means: WorkMeans, work: EventWork, attempt: number, code: QuarantinedCode, error: unknown) {
  const since = means.settings.clock.now()
  return retryInBackground({
    clock: means.settings.clock,
    attempt: () => setAside(means, work, attempt, UNHURRIED, code, error),
    isSettled: ({ status }) => status === 'quarantined',
    giveUpAt: () => means.backgroundUntil(since),
  })
}

/** The time limit of what nobody waits for: each call has its own second. */
export const UNHURRIED: Deadline = { startedAt: 0, left: () => STORE_CALL_MS }

/**
 * Gives the claim back. The store is asked even where no time is left for its answer: a try that was never released looks like a crash.
 * Not recorded: the lease ends before the next try, which then counts on from here.
 */
async function release(run: Run, deadline: Deadline): Promise<Pick<Ending, 'background'>> {
  const { means, work, claim } = run
  const { key, token, completedHandlers } = claim
  const { clock } = means.settings
  // What ran no handler was no try.
  const request = { key, token, completedHandlers: [...completedHandlers], counted: work.handlers.length > 0 }
  const released = andThen(releaseClaim(means.store, clock, STORE_CALL_MS, request), (recorded) => {
    if (recorded === 'lost') reportLost(run, LOST_RELEASE)
  })
  const settled = await withTimeout(clock, deadline.left(), () => released)
  return settled.status === 'value' ? {} : { background: Promise.resolve(released) }
}

type Attempt = (limitMs: number) => Recorded | Promise<Recorded>

/** Records a completion; `behind` is the writing that goes on when the store did not take it. */
function complete(
  run: Run,
  deadline: Deadline,
  quarantined: boolean,
): Pick<Ending, 'background'> | Promise<Pick<Ending, 'background'>> {
  const { means, work, claim } = run
  const { key, token, completedHandlers } = claim
  const request = {
    key,
    token,
    retainUntil: retainUntil(means, work),
    quarantined,
    completedHandlers: [...completedHandlers],
  }
  const attempt: Attempt = (limitMs) => completeClaim(means.store, means.settings.clock, limitMs, request)
  const asked = attempt(Math.min(STORE_CALL_MS, deadline.left()))
  return andThen(asked, (recorded) => {
    if (recorded === 'unknown') return completeBehind(run, attempt)
    reportUnrecorded(run, recorded)
    return WRITTEN
  })
}

const WRITTEN: Pick<Ending, 'background'> = {}

function completeBehind(run: Run, attempt: Attempt): Pick<Ending, 'background'> {
  const { means, work } = run
  const { clock } = means.settings
  const message = 'The store did not take a completion; it is written again behind the answer.'
  means.reporter.report({ ...aboutDelivery(work), code: 'completion_delayed', message })
  if (!work.delivery.freezesAfterResponse) keepRunLease(run)
  const since = clock.now()
  const retried = retryInBackground({
    clock,
    attempt: () => attempt(STORE_CALL_MS),
    isSettled: (result) => result !== 'unknown',
    giveUpAt: () => means.backgroundUntil(since),
  })
  return { background: retried.then((last) => reportUnrecorded(run, last)) }
}

function reportUnrecorded(run: Run, recorded: Recorded): void {
  if (recorded === 'lost') reportLost(run, LOST_COMPLETION)
  if (recorded !== 'unknown') return
  const message = 'The store did not take a completion for too long; a later try may work the event again.'
  run.means.reporter.report({ ...aboutDelivery(run.work), code: 'completion_abandoned', message })
}

const LOST_COMPLETION =
  'A completion came after another worker had claimed the delivery; it changed nothing, and the event may be worked twice.'
const LOST_RELEASE =
  'A failed try ended after another worker had claimed the delivery; it changed nothing of that claim.'

function reportLost({ means, work }: Run, message: string): void {
  means.reporter.report({ ...aboutDelivery(work), code: 'lease_lost', message })
}

/** Which delivery a report is about. */
export function aboutDelivery({ key, read }: EventWork): {
  readonly idempotencyKey: string
  readonly eventType: string
} {
  return { idempotencyKey: key, eventType: read.event.event }
}
