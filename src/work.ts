/**
 * Stages 5 to 7 for one verified event: claim, dispatch, completion. In: the event. Out: its outcome; what is still running goes on
 * behind the answer. No try is wasted, and none of a throwing, a hanging or a crashing handler ever uses up the sender's last one.
 */
import type { Deadline } from './clock.js'
import { settleWithin } from './clock.js'
import { claimDelivery, type HeldClaim, STORE_CALL_MS } from './delivery/claim.js'
import { completeClaim, type Recorded, releaseClaim, retryCompletion } from './delivery/completion.js'
import { type DispatchResult, joinErrors } from './delivery/dispatch.js'
import { FUTURE_ALLOWANCE_MS } from './delivery/event.js'
import { type QuarantinedCode, WebhookError } from './errors.js'
import { discardEntry, quarantine } from './quarantine.js'
import { type EventWork, type Run, startRun, type WorkMeans } from './run.js'
import type { Outcome, OutcomeDetails } from './types.js'

/** How often GoValid tries. Source: govalid docs, webhooks setup. */
const TRIES = 5
/** The fourth try comes after 21 minutes at the latest, the fifth after 60 at the earliest. */
const LAST_TRY_AGE_MS = 45 * 60 * 1000
/** The third try comes five minutes after the event at the earliest: by then a failure is more than a hiccup. */
const KEPT_FROM_TRY = 3
const KEPT_FROM_AGE_MS = 4 * 60 * 1000
const UNDATED_RETENTION_MS = 30 * 24 * 60 * 60 * 1000
/** Kept free of the handlers on a last try, so that the quarantine can still confirm before the deadline. */
const SINK_RESERVE_MS = 1000

/** Works one event under a claim of the store. Never rejects. */
export async function workEvent(means: WorkMeans, work: EventWork): Promise<Outcome> {
  const { store, settings } = means
  const { key, deadline, rework } = work
  // 5. claim: of all that hold this delivery now, one works it.
  const wanted = { key, token: means.newToken(), retainUntil: retainUntil(means, work), rework }
  const claimed = await claimDelivery(store, settings.clock, deadline, wanted)
  if (claimed.status === 'done') return { ...about(work), status: 'duplicate' }
  if (claimed.status === 'busy') return answerBusy(means, work, claimed.attempt)
  if (claimed.status !== 'claimed') return answerUnavailable(means, work, claimed)
  const { claim } = claimed
  const lastTry = isLastTry(means, work, claim.attempt)
  if (lastTry && !rework && claim.attempt > 1 && claim.released === 0) return setAsideUnrun(means, work, claim)
  // 6. dispatch: handlers that still run at the deadline go on behind the answer.
  const run = startRun(means, work, claim)
  const handlersMs = deadline.left() - (lastTry ? SINK_RESERVE_MS : 0)
  const settled = await settleWithin(settings.clock, handlersMs, () => run.result)
  if (settled.status !== 'value') return leaveRunning(run, lastTry)
  // 7. completion: the store knows before the sender does.
  const { outcome, behind } = await settle(run, settled.value, deadline, false)
  if (behind) goOn(run, behind)
  return outcome
}

function about(work: EventWork, attempt?: number): OutcomeDetails {
  const { read, key, secretIndex } = work
  const counted = attempt === undefined ? {} : { attempt, attemptsLeft: Math.max(0, TRIES - attempt) }
  return { event: read.event, idempotencyKey: key, secretIndex, ...counted }
}

function retainUntil({ settings }: WorkMeans, { read, deadline }: EventWork): number {
  const { maxAgeMs } = settings
  if (maxAgeMs === false || read.epochMs === undefined) return deadline.startedAt + UNDATED_RETENTION_MS
  return read.epochMs + maxAgeMs + FUTURE_ALLOWANCE_MS
}

function isLastTry(
  { settings, quarantine: { sink } }: WorkMeans,
  { read, rework }: EventWork,
  attempt: number,
): boolean {
  if (rework || attempt >= TRIES) return true
  return sink !== undefined && read.epochMs !== undefined && settings.clock.now() - read.epochMs > LAST_TRY_AGE_MS
}

async function answerBusy(means: WorkMeans, work: EventWork, attempt: number): Promise<Outcome> {
  const details = about(work, attempt)
  if (work.rework || !isLastTry(means, work, attempt)) return { ...details, status: 'busy' }
  const error = 'the delivery was still being worked at its last try'
  return { ...details, ...(await setAside(means, work, attempt, work.deadline, 'tries_exhausted', error)) }
}

function answerUnavailable(
  { reporter }: WorkMeans,
  work: EventWork,
  { status, error }: { readonly status: 'store_unavailable' | 'store_corrupt'; readonly error: unknown },
): Outcome {
  const message = 'The store did not answer a claim as it should; the delivery is answered 503 and will be tried again.'
  reporter.trouble({ code: status, message, idempotencyKey: work.key, eventType: work.read.event.event, error })
  return { ...about(work), status: 'unavailable', code: status, error }
}

function setAside(
  means: WorkMeans,
  work: EventWork,
  attempt: number,
  deadline: Deadline,
  code: QuarantinedCode,
  error: unknown,
) {
  const { key, rawBody, delivery, read } = work
  const receivedAt = work.deadline.startedAt
  const eventType = read.event.event
  return quarantine(means.quarantine, deadline, { key, code, eventType, rawBody, delivery, receivedAt, attempt, error })
}

async function setAsideUnrun(means: WorkMeans, work: EventWork, claim: HeldClaim): Promise<Outcome> {
  const run = startRun(means, { ...work, handlers: [] }, claim)
  const error = 'no earlier try came to an end, so the handlers were not run again'
  const { outcome, behind } = await settleAside(run, work.deadline, 'handler_crashed', error)
  if (behind) goOn(run, behind)
  return outcome
}

/** Handlers outlive the deadline: the lease is kept and the completion recorded; the sender's retry will be a duplicate. */
async function leaveRunning(run: Run, lastTry: boolean): Promise<Outcome> {
  const { means, work, claim } = run
  if (!work.delivery.endsWithAnswer) run.keepLease()
  const error = 'the handlers were still running at the deadline of the last try'
  const aside = lastTry ? setAside(means, work, claim.attempt, work.deadline, 'tries_exhausted', error) : undefined
  goOn(run, finishBehind(run, aside))
  const details = about(work, claim.attempt)
  return aside ? { ...details, ...(await aside) } : { ...details, status: 'unfinished' }
}

async function finishBehind(run: Run, aside: Promise<unknown> | undefined): Promise<void> {
  const { means, work } = run
  const { clock, handlerTimeoutMs } = means.settings
  const leftMs = work.deadline.startedAt + handlerTimeoutMs - clock.now()
  const settled = await settleWithin(clock, leftMs, () => run.result)
  // The entry first, so that a success takes it back and not the other way round.
  await aside
  const result = settled.status === 'value' ? settled.value : timeOut(run)
  const { behind } = await settle(run, result, UNHURRIED, true)
  await behind
}

const UNHURRIED: Deadline = { startedAt: 0, left: () => STORE_CALL_MS }

function timeOut(run: Run): DispatchResult {
  const error = new WebhookError('handler_timeout', 'The handlers did not finish within handlerTimeoutMs.')
  run.abort(error)
  return { errors: [error], permanent: false }
}

function goOn(run: Run, behind: Promise<void>): void {
  const ended = behind.finally(() => run.endLease())
  void run.means.running.track(ended, () => run.abort(new WebhookError('receiver_closing', 'The receiver was closed.')))
  run.work.delivery.waitUntil?.(ended)
}

interface Ending {
  readonly outcome: Outcome
  /** What still has to be written; the outcome does not wait for it. */
  readonly behind?: Promise<void> | undefined
}

async function settle(run: Run, result: DispatchResult, deadline: Deadline, late: boolean): Promise<Ending> {
  const { means, work, claim } = run
  if (result.errors.length === 0) return settleProcessed(run, deadline, late)
  const error = joinErrors(result.errors)
  const message = `A handler failed${late ? ', after the delivery had been answered' : ''} (try ${claim.attempt}).`
  const { key, read } = work
  means.reporter.trouble({ code: 'handler_failed', message, idempotencyKey: key, eventType: read.event.event, error })
  if (result.permanent) return settleAside(run, deadline, 'permanent_error', error)
  if (isLastTry(means, work, claim.attempt)) return settleAside(run, deadline, 'tries_exhausted', error)
  await Promise.all([release(run, deadline), keepAhead(run, deadline, error)])
  return { outcome: { ...about(work, claim.attempt), status: 'failed', error } }
}

/**
 * Keeps a delivery that fails again and again before its last try: that one may meet a receiver or a store that is down. A success takes
 * the entry back, so only a sink that can do so is given one.
 */
async function keepAhead(run: Run, deadline: Deadline, error: unknown): Promise<void> {
  const { means, work, claim } = run
  const ageMs = means.settings.clock.now() - (work.read.epochMs ?? Number.POSITIVE_INFINITY)
  if (!means.quarantine.sink?.discard || (claim.attempt < KEPT_FROM_TRY && ageMs < KEPT_FROM_AGE_MS)) return
  await setAside(means, work, claim.attempt, deadline, 'retry_pending', error)
}

async function settleProcessed(run: Run, deadline: Deadline, late: boolean): Promise<Ending> {
  const { means, work, claim } = run
  const { behind } = await complete(run, deadline, false)
  // Only a delivery that was late or tried before can have an entry in the quarantine.
  const mayHaveEntry = late || work.rework || claim.attempt > 1 || isLastTry(means, work, claim.attempt)
  const cleaned = mayHaveEntry ? discardEntry(means.quarantine, work.key) : undefined
  const rest = behind && cleaned ? Promise.all([behind, cleaned]).then(() => {}) : (behind ?? cleaned)
  return { outcome: { ...about(work, claim.attempt), status: 'processed' }, behind: rest }
}

async function settleAside(run: Run, deadline: Deadline, code: QuarantinedCode, error: unknown): Promise<Ending> {
  const { means, work, claim } = run
  const aside = await setAside(means, work, claim.attempt, deadline, code, error)
  const outcome: Outcome = { ...about(work, claim.attempt), ...aside }
  if (aside.status === 'quarantined') return { outcome, ...(await complete(run, deadline, true)) }
  await release(run, deadline)
  return { outcome }
}

async function release({ means, claim }: Run, deadline: Deadline): Promise<void> {
  const { key, token, handlersDone } = claim
  const limitMs = Math.min(STORE_CALL_MS, deadline.left())
  // Not recorded: the lease ends before the next try, which then counts on from here.
  await releaseClaim(means.store, means.settings.clock, limitMs, {
    key,
    token,
    handlersDone: [...handlersDone],
    counted: true,
  })
}

/** Records a completion; `behind` is the writing that goes on when the store did not take it. */
async function complete(run: Run, deadline: Deadline, quarantined: boolean): Promise<Pick<Ending, 'behind'>> {
  const { means, work, claim } = run
  const { key, token, handlersDone } = claim
  const { clock } = means.settings
  const request = { key, token, retainUntil: retainUntil(means, work), quarantined, handlersDone: [...handlersDone] }
  const attempt = (limitMs: number) => completeClaim(means.store, clock, limitMs, request)
  const recorded = await attempt(Math.min(STORE_CALL_MS, deadline.left()))
  if (recorded !== 'unknown') {
    reportLost(run, recorded)
    return {}
  }
  const message = 'The store did not take a completion; it is written again behind the answer.'
  means.reporter.trouble({ code: 'completion_delayed', message, idempotencyKey: key, eventType: work.read.event.event })
  if (!work.delivery.endsWithAnswer) run.keepLease()
  const since = clock.now()
  const retried = retryCompletion({
    clock,
    attempt: () => attempt(STORE_CALL_MS),
    giveUpAt: () => means.completionGiveUpAt(since),
  })
  return { behind: retried.then((last) => reportLost(run, last)) }
}

function reportLost({ means, work, claim }: Run, recorded: Recorded): void {
  if (recorded === 'recorded') return
  const about = { idempotencyKey: claim.key, eventType: work.read.event.event }
  const lost =
    'A completion came after another worker had claimed the delivery; it changed nothing, and the event may be worked twice.'
  const abandoned = 'The store did not take a completion for too long; a later try may work the event again.'
  means.reporter.trouble(
    recorded === 'lost'
      ? { code: 'lease_lost', message: lost, ...about }
      : { code: 'completion_abandoned', message: abandoned, ...about },
  )
}
