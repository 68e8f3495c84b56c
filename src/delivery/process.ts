/**
 * Stages 6 and 7 under a claim. In: a verified event and its claim. Out: the outcome. Handlers that are still running at the deadline
 * continue in the background. No attempt is wasted: a handler that throws, hangs or crashes never uses up the sender's last attempt.
 */
import { isPromiseLike } from '../maybe-promise.js'
import type { Outcome } from '../types.js'
import { isKeptEarly, isLastAttempt, reserveMs } from './attempt-budget.js'
import { type DispatchResult, joinErrors } from './dispatch.js'
import { awaitBriefly, type Ending, finish, inBackground, keepEarly } from './finish.js'
import { type HandlerRun, keepRunLease, startRun, timeOutHandlers, waitForHandlers } from './handler-run.js'
import { HEARTBEAT_MS } from './lease.js'
import { EVICTED_EARLY, REASON } from './messages.js'
import type { ClaimedAttempt, HeldClaim, Services, VerifiedEvent } from './verified-event.js'

/** Processes a claimed event. Never rejects; the outcome is available at once if the store and the handlers are synchronous. */
export function processClaimed(services: Services, event: VerifiedEvent, claim: HeldClaim): Outcome | Promise<Outcome> {
  const { origin } = event
  if (claim.evictedEarly) services.reporter.report({ code: 'store_evicting', message: EVICTED_EARLY })
  if (origin.from === 'inbox' && origin.attempt.over) {
    return finish(withoutHandlers(services, event, claim), {
      how: 'crashed',
      error: REASON.lastNeverEnded,
      isLate: false,
    })
  }
  const hasOnlyCrashed = origin.from !== 'quarantine' && claim.attempt > 1 && claim.releasedAttempts === 0
  return hasOnlyCrashed ? processAfterCrash(services, event, claim) : runHandlers(services, event, claim)
}

/** No earlier attempt ended. If this attempt ends with its process as well, the delivery must be safe. */
async function processAfterCrash(services: Services, event: VerifiedEvent, claim: HeldClaim): Promise<Outcome> {
  const attempt = withoutHandlers(services, event, claim)
  const error = REASON.noAttemptEnded
  if (isLastAttempt(services, event, claim.attempt)) return finish(attempt, { how: 'crashed', error, isLate: false })
  const keeping = isKeptEarly(services, event, claim.attempt) ? keepEarly(attempt, { error, isLate: false }) : undefined
  // A quarantine that hangs must not use up the time of the handlers.
  if (keeping) await awaitBriefly(attempt, keeping)
  return runHandlers(services, event, claim, keeping)
}

function withoutHandlers(services: Services, event: VerifiedEvent, claim: HeldClaim): ClaimedAttempt {
  return { services, event, number: claim.attempt, claim, endLease: undefined, entryWrite: undefined }
}

function runHandlers(
  services: Services,
  event: VerifiedEvent,
  claim: HeldClaim,
  entryWrite?: Promise<unknown>,
): Outcome | Promise<Outcome> {
  const run = startRun(services, event, claim)
  run.entryWrite = entryWrite
  return isPromiseLike(run.result) ? finishInTime(run) : finish(run, endingOf(run.result, false))
}

async function finishInTime(run: HandlerRun): Promise<Outcome> {
  const result = await waitUntilDeadline(run)
  if (result === 'running') return leaveRunning(run)
  run.areHandlersDone = true
  return finish(run, endingOf(result, false))
}

/** Waits for the handlers until the response has to leave. An inbox and the quarantine wait longer, so the lease is kept meanwhile. */
async function waitUntilDeadline(run: HandlerRun): Promise<DispatchResult | 'running'> {
  const { services, event, claim } = run
  const { settings } = services
  // Handlers may use the time of the response itself, unless the quarantine needs it.
  const needsQuarantine = settings.quarantine && isLastAttempt(services, event, claim.attempt)
  const responseMs = event.deadline.left() - (needsQuarantine ? reserveMs(services, true) : 0)
  const timeoutMs = handlerTimeLeft(run)
  const isPatient = event.origin.from !== 'sender'
  const cancelHeartbeat = isPatient ? settings.clock.setTimer(HEARTBEAT_MS, () => keepRunLease(run)) : () => {}
  const result = await waitForHandlers(run, Math.min(responseMs, timeoutMs))
  cancelHeartbeat()
  if (result === 'abandoned') return 'running'
  if (result !== 'late') return result
  return timeoutMs > responseMs ? 'running' : timeOutHandlers(run)
}

/** Leaves handlers running in the background: the lease is kept, the completion is saved, and the retry becomes a duplicate. */
function leaveRunning(run: HandlerRun): Outcome | Promise<Outcome> {
  if (!run.event.delivery.freezesAfterResponse) keepRunLease(run)
  // The handlers' own time limit starts now, not once the quarantine has confirmed.
  const ended = waitToTheEnd(run)
  const outcome = finish(run, { how: 'unfinished', error: REASON.stillRunning, isLate: false })
  inBackground(run, finishLate(run, ended))
  return outcome
}

async function finishLate(run: HandlerRun, ended: Promise<DispatchResult>): Promise<void> {
  const result = await ended
  run.areHandlersDone = true
  // The entry of the response is written first: a success takes it back, and a failure replaces it.
  await run.entryWrite
  const outcome = await finish(run, endingOf(result, true))
  const { delivery, origin, deadline, eventType } = run.event
  run.services.recordOutcome(outcome, { delivery, origin, eventType, durationMs: deadline.elapsed(), isLate: true })
}

async function waitToTheEnd(run: HandlerRun): Promise<DispatchResult> {
  const result = await waitForHandlers(run, handlerTimeLeft(run))
  if (result === 'late') return timeOutHandlers(run)
  if (result !== 'abandoned') return result
  // A closed receiver leaves no timer behind: the lease expires, and only the handlers themselves continue.
  run.endLease?.()
  return run.result
}

function handlerTimeLeft({ services: { settings }, event }: HandlerRun): number {
  return settings.handlerTimeoutMs - event.deadline.elapsed()
}

function endingOf({ errors, isPermanent }: DispatchResult, isLate: boolean): Ending {
  if (errors.length === 0) return isLate ? PROCESSED_LATE : PROCESSED
  return { how: isPermanent ? 'permanent_error' : 'failed', error: joinErrors(errors), isLate }
}

const PROCESSED: Ending = { how: 'processed', isLate: false }
const PROCESSED_LATE: Ending = { how: 'processed', isLate: true }
