/**
 * Stages 5 to 7 for one verified event: claim, dispatch, completion. In: the event. Out: its outcome; what is still running goes on
 * behind the answer. No try is wasted, and none of a throwing, a hanging or a crashing handler ever uses up the sender's last one.
 */
import { withTimeout } from '../clock.js'
import { type UnavailableCode, WebhookError } from '../errors.js'
import { andThen, isPromiseLike } from '../maybe-promise.js'
import type { Outcome } from '../types.js'
import { isLastAttempt } from './attempt-budget.js'
import { type Claimed, claimDelivery, type HeldClaim } from './claim.js'
import type { DispatchResult } from './dispatch.js'
import { about, aboutDelivery, keepAhead, retainUntil, setAside, settle, settleAside, UNHURRIED } from './finish.js'
import { abortRun, type EventWork, keepRunLease, type Run, startRun, type WorkMeans } from './handler-run.js'
import { HEARTBEAT_MS } from './lease.js'

/** A store that is down is told to the sender within this time, the quarantine asked or not. */
const PROMPT_MS = 1400
/** Kept free of the handlers on a last try, so that the quarantine can still confirm before the deadline; of a short one a quarter. */
const SINK_RESERVE_MS = 1000
const FORGETTING =
  'The store forgets finished deliveries before their time, or may have to, and one that is sent again is then worked again. ' +
  'memoryStore: raise maxKeys, or use a durable store. Redis: set maxmemory-policy to noeviction.'
const NEVER_ENDED = 'no earlier try came to an end'
const LAST_NEVER_ENDED = 'the last try did not come to an end'

/** Works one event under a claim of the store. Never rejects; the outcome is at hand where store and handlers are synchronous. */
export function processEvent(means: WorkMeans, work: EventWork): Outcome | Promise<Outcome> {
  const { store, settings } = means
  const { key, deadline, origin, delivery } = work
  // 5. claim: of all that hold this delivery now, one works it.
  const reprocess = origin.from === 'quarantine'
  const wanted = { key, token: means.newToken(), retainUntil: retainUntil(means, work), reprocess }
  const claimed = claimDelivery(store, settings.clock, deadline, wanted, delivery)
  return andThen(claimed, (response) => workClaimed(means, work, response))
}

function workClaimed(means: WorkMeans, work: EventWork, claimed: Claimed): Outcome | Promise<Outcome> {
  if (claimed.status === 'done') return { ...about(work), status: 'duplicate' }
  if (claimed.status === 'busy') return respondBusy(means, work, claimed.attempt)
  if (claimed.status !== 'claimed') return respondUnavailable(means, work, claimed.status, claimed.error)
  const { claim } = claimed
  if (claim.evictedEarly) means.reporter.report({ code: 'store_evicting', message: FORGETTING })
  const lastAttempt = isLastAttempt(means, work, claim.attempt)
  if (work.origin.from === 'inbox' && work.origin.attempt.over)
    return setAsideUnrun(means, work, claim, LAST_NEVER_ENDED)
  const neverEnded = work.origin.from !== 'quarantine' && claim.attempt > 1 && claim.releasedAttempts === 0
  if (!neverEnded) return runClaimed(means, work, claim, lastAttempt)
  if (lastAttempt) return setAsideUnrun(means, work, claim, NEVER_ENDED)
  // Should this try end with the process too, the delivery is in safety.
  const kept = keepAhead(means, work, claim.attempt, work.deadline, NEVER_ENDED)
  return kept.then(() => runClaimed(means, work, claim, lastAttempt))
}

function runClaimed(
  means: WorkMeans,
  work: EventWork,
  claim: HeldClaim,
  lastAttempt: boolean,
): Outcome | Promise<Outcome> {
  // 6. dispatch: handlers that still run at the deadline go on behind the answer.
  const run = startRun(means, work, claim)
  return isPromiseLike(run.result) ? finishInTime(run, lastAttempt) : finish(run, run.result)
}

async function finishInTime(run: Run, lastAttempt: boolean): Promise<Outcome> {
  const result = await resultInTime(run, lastAttempt)
  if (result === 'running') return leaveRunning(run, lastAttempt)
  // The receiver was closed: an inbox gets its job back, and what still runs here goes on without a lease.
  if (result === 'given up') return leaveRunning(run, false)
  return finish(run, result)
}

function finish(run: Run, result: DispatchResult): Outcome | Promise<Outcome> {
  // 7. completion: the store knows before the sender does.
  return andThen(settle(run, result, run.work.deadline, false), ({ outcome, background }) => {
    if (background) goOn(run, background)
    else run.letLeaseEnd?.()
    return outcome
  })
}

/** What became of handlers by the deadline. For a work that nobody waits for, the lease is kept meanwhile. */
async function resultInTime(run: Run, lastAttempt: boolean): Promise<DispatchResult | 'running' | 'given up'> {
  const { means, work } = run
  const { clock } = means.settings
  const isSender = work.origin.from === 'sender'
  const cancelHeartbeat = isSender ? undefined : clock.setTimer(HEARTBEAT_MS, () => keepRunLease(run))
  const reserveMs = lastAttempt && means.quarantine.sink ? Math.min(SINK_RESERVE_MS, means.settings.deadlineMs / 4) : 0
  const responseMs = work.deadline.left() - reserveMs
  const timeoutMs = handlersLeftMs(run)
  const ended = () => (isSender ? run.result : untilGivenUp(run))
  const settled = await withTimeout(clock, Math.min(responseMs, timeoutMs), ended)
  cancelHeartbeat?.()
  if (settled.status === 'value') return settled.value ?? 'given up'
  return timeoutMs > responseMs ? 'running' : timeOut(run)
}

async function respondBusy(means: WorkMeans, work: EventWork, attempt: number): Promise<Outcome> {
  const details = about(work, attempt)
  const isSender = work.origin.from === 'sender'
  if (isSender && isLastAttempt(means, work, attempt)) {
    const error = 'the delivery was still being worked at its last try'
    return { ...details, ...(await setAside(means, work, attempt, work.deadline, 'attempts_exhausted', error)) }
  }
  await keepAhead(means, work, attempt, work.deadline, 'the delivery is being worked for long')
  return { ...details, status: 'busy' }
}

/** The store or the inbox is down, so nobody knows which try this is: only the event's age can tell that it is the last. */
export async function respondUnavailable(
  means: WorkMeans,
  work: EventWork,
  code: UnavailableCode,
  error: unknown,
): Promise<Outcome> {
  const message = 'The store or the inbox did not answer as it should; the delivery will be tried again.'
  means.reporter.report({ ...aboutDelivery(work), code, message, error })
  const unavailable: Outcome = { ...about(work), status: 'unavailable', code, error }
  if (work.origin.from === 'sender' && isLastAttempt(means, work, 0)) {
    const aside = await setAside(means, work, 0, work.deadline, 'attempts_exhausted', error)
    return aside.status === 'quarantined' ? { ...about(work), ...aside } : unavailable
  }
  await promptly(means, work, keepAhead(means, work, 0, UNHURRIED, error))
  return unavailable
}

/** Waits for a write that the answer does not depend on, as long as that is still prompt; then it goes on behind the answer. */
async function promptly({ settings, running }: WorkMeans, work: EventWork, written: Promise<unknown>): Promise<void> {
  const leftMs = work.deadline.startedAt + PROMPT_MS - settings.clock.now()
  const settled = await withTimeout(settings.clock, leftMs, () => written)
  if (settled.status !== 'late') return
  void running.track(written)
  work.delivery.waitUntil?.(written)
}

async function setAsideUnrun(means: WorkMeans, work: EventWork, claim: HeldClaim, why: string): Promise<Outcome> {
  const run = startRun(means, { ...work, handlers: [] }, claim)
  const { outcome, background } = await settleAside(run, work.deadline, 'handler_crashed', why, false)
  if (background) goOn(run, background)
  return outcome
}

/** Handlers outlive the deadline: the lease is kept and the completion recorded; the sender's retry will be a duplicate. */
async function leaveRunning(run: Run, lastAttempt: boolean): Promise<Outcome> {
  const { means, work, claim } = run
  if (!work.delivery.freezesAfterResponse) keepRunLease(run)
  const error = 'the handlers were still running at the deadline'
  const details = about(work, claim.attempt)
  if (!lastAttempt) {
    goOn(run, finishBehind(run, keepAhead(means, work, claim.attempt, UNHURRIED, error)))
    return { ...details, status: 'unfinished' }
  }
  const aside = setAside(means, work, claim.attempt, work.deadline, 'attempts_exhausted', error)
  goOn(run, finishBehind(run, aside))
  return { ...details, ...(await aside) }
}

async function finishBehind(run: Run, aside: Promise<unknown>): Promise<void> {
  const result = await waitForHandlers(run)
  // The entry first, so that a success takes it back and not the other way round.
  await aside
  const { background } = await settle(run, result, UNHURRIED, true)
  await background
}

/** Once the receiver gives up waiting no timer may be left: the lease ends, and only the handlers themselves go on. */
async function waitForHandlers(run: Run): Promise<DispatchResult> {
  const settled = await withTimeout(run.means.settings.clock, handlersLeftMs(run), () => untilGivenUp(run))
  if (settled.status !== 'value') return timeOut(run)
  if (!settled.value) run.letLeaseEnd?.()
  return settled.value ?? run.result
}

/** Waits for the handlers; `undefined` once the receiver gives up waiting. */
async function untilGivenUp(run: Run): Promise<DispatchResult | undefined> {
  let forget = () => {}
  const givenUp = new Promise<undefined>((resolve) => {
    forget = run.means.running.onGivenUp(() => resolve(undefined))
  })
  const result = await Promise.race([run.result, givenUp])
  forget()
  return result
}

function handlersLeftMs({ means: { settings }, work }: Run): number {
  return work.deadline.startedAt + settings.handlerTimeoutMs - settings.clock.now()
}

function timeOut(run: Run): DispatchResult {
  const error = new WebhookError('handler_timeout', 'The handlers did not finish within handlerTimeoutMs.')
  abortRun(run, error)
  return { errors: [error], permanent: false }
}

function goOn(run: Run, background: Promise<unknown>): void {
  const ended = background.finally(() => run.letLeaseEnd?.())
  run.means.running.track(ended)
  run.work.delivery.waitUntil?.(ended)
}
