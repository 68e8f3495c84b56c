/**
 * Part of stage 7: carries out how an attempt ends. In: an attempt and its ending. Out: the outcome. `decision.ts` decides; this file
 * writes to the store and the quarantine. Writes that don't change the response are awaited for min(1 s, the time left), then continue
 * in the background.
 */
import { type TimeoutResult, withTimeout } from '../clock.js'
import type { QuarantinedCode, UnavailableCode } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'
import { keepAlive } from '../receiver/keep-alive.js'
import type { Outcome } from '../types.js'
import { isKeptEarly, isLastAttempt } from './attempt-budget.js'
import {
  completeClaim,
  LOST_RELEASE,
  releaseClaim,
  reportLost,
  retryInBackground,
  WRITTEN,
  type Written,
} from './completion.js'
import { type Decision, decide, type HowEnded, type Standing } from './decision.js'
import { isClaimHeld } from './lease.js'
import { discardEntry, type QuarantineResult, quarantine } from './quarantine.js'
import { type Attempt, aboutOutcome, aboutReport, type ClaimedAttempt, MAX_CALL_MS } from './verified-event.js'

/** How an attempt ended. */
export interface Ending {
  readonly how: HowEnded
  readonly error?: unknown
  /** Which service was unavailable. */
  readonly code?: UnavailableCode
  /** The response has left. */
  readonly isLate: boolean
}

/** What the quarantine gets at least, in milliseconds: a response may be this late. */
const MIN_QUARANTINE_MS = 100
/** How long the response waits for a write that doesn't change it, in milliseconds. */
const MAX_AWAITED_MS = 1000

/** Ends an attempt. Never rejects; `processed` is available at once if the store is synchronous. */
export function finish(attempt: Attempt, ending: Ending): Outcome | Promise<Outcome> {
  reportEnding(attempt, ending)
  const decision = decide(ending.how, standingOf(attempt, ending))
  const isOnlyCompleted = decision.store === 'complete' && decision.quarantine === undefined
  return isOnlyCompleted ? finishProcessed(attempt as ClaimedAttempt, ending) : carryOut(attempt, ending, decision)
}

/** The fast path: most deliveries end here, and awaiting a synchronous store costs more than its write. */
function finishProcessed(attempt: ClaimedAttempt, ending: Ending): Outcome | Promise<Outcome> {
  const outcome = toOutcome(attempt, ending, 'processed')
  const writing = completeClaim(attempt, false)
  if (isPromiseLike(writing)) return awaitWrite(attempt, ending, writing).then(() => outcome)
  continueWrite(attempt, writing)
  return outcome
}

async function carryOut(attempt: Attempt, ending: Ending, decision: Decision): Promise<Outcome> {
  const writesEntry = decision.quarantine !== undefined && decision.quarantine !== 'discard'
  // A lost claim changes nothing, so the quarantine is written only while the claim is held.
  if (attempt.claim && writesEntry && !(await isClaimHeld(attempt as ClaimedAttempt))) {
    return endLost(attempt as ClaimedAttempt, ending)
  }
  if (decision.status === 'quarantined') return finishInQuarantine(attempt, ending, decision)
  await awaitWrite(attempt, ending, write(attempt, ending, decision))
  return toOutcome(attempt, ending, decision.status)
}

/** Continues work after the response: `close()` and the platform wait for it, and the lease ends with it. */
export function inBackground(attempt: Attempt, work: Promise<unknown>): void {
  const { services, event } = attempt
  const ended = work.finally(() => attempt.endLease?.())
  services.inFlight.track(ended)
  keepAlive(event.delivery, ended)
}

/** Quarantines a failing delivery early, in case no other attempt arrives. After the response, a write that failed is retried. */
export async function keepEarly(
  attempt: Attempt,
  { error, isLate }: Pick<Ending, 'error' | 'isLate'>,
): Promise<Written> {
  const enter = () => enterQuarantine(attempt, 'retry_pending', error, MAX_CALL_MS)
  const { status } = await enter()
  if (status === 'quarantined' || !isLate) return WRITTEN
  return { isLost: false, rest: retryInBackground(attempt.services, enter, isQuarantined) }
}

function standingOf({ services, event, number = 0 }: Attempt, { how, isLate }: Ending): Standing {
  return {
    isLast: how !== 'processed' && isLastAttempt(services, event, number),
    isFromSender: event.origin.from === 'sender',
    isKeptEarly: isKeptEarly(services, event, number),
    isLate,
  }
}

function reportEnding({ services, event, number }: Attempt, { how, code, error, isLate }: Ending): void {
  if (how === 'failed' || how === 'permanent_error') {
    const message = `A handler failed${isLate ? ' after the response' : ''} (attempt ${number}).`
    services.reporter.report({ ...aboutReport(event), code: 'handler_failed', message, error }, event.delivery)
  } else if (code) {
    const message = 'The store or the inbox did not respond as it should. The delivery will be retried.'
    services.reporter.report({ ...aboutReport(event), code, message, error }, event.delivery)
  }
}

/** Another process has claimed the delivery, and its attempt decides. */
function endLost(attempt: ClaimedAttempt, ending: Ending): Outcome {
  reportLost(attempt, LOST_RELEASE)
  attempt.endLease?.()
  return toOutcome(attempt, ending, ending.how === 'unfinished' ? 'unfinished' : 'failed')
}

function toOutcome({ event, number }: Attempt, { code, error }: Ending, status: Decision['status']): Outcome {
  const about = aboutOutcome(event, number)
  if (status === 'failed') return Object.assign(about, { status, error })
  return Object.assign(about, status === 'unavailable' ? { status, code, error } : { status }) as Outcome
}

/** Writes what a decision says, except for `quarantined`. */
async function write(attempt: Attempt, ending: Ending, decision: Decision): Promise<Written> {
  if (decision.store === 'complete') {
    const { isLost, rest } = await completeClaim(attempt as ClaimedAttempt, false)
    if (isLost) return WRITTEN
    const discarding = discard(attempt)
    // A person who reprocesses an entry doesn't see it again.
    if (attempt.event.origin.from === 'quarantine') await discarding
    return { isLost, rest: Promise.all([rest, discarding]) }
  }
  const kept = decision.quarantine ? keepEarly(attempt, ending) : WRITTEN
  if (decision.store) await releaseClaim(attempt as ClaimedAttempt, true)
  return kept
}

/** An entry that is still being written is discarded after that, not before. */
async function discard({ services, event, entryWrite }: Attempt): Promise<void> {
  await entryWrite
  await discardEntry(services, event.key)
}

/** Ends an attempt as `quarantined`, provided that the quarantine confirms. Otherwise the claim is released for another attempt. */
async function finishInQuarantine(attempt: Attempt, ending: Ending, { store, quarantine }: Decision): Promise<Outcome> {
  const { event, number } = attempt
  const enter = (limitMs: number) => enterQuarantine(attempt, quarantine as QuarantinedCode, ending.error, limitMs)
  const entered = await enter(ending.isLate ? MAX_CALL_MS : Math.max(event.deadline.left(), MIN_QUARANTINE_MS))
  if (store) {
    const claimed = attempt as ClaimedAttempt
    // After the response the claim is held while the entry is written again.
    const isRetried = ending.isLate && entered.status === 'unavailable'
    const writing = isRetried ? retryEntry(claimed, enter) : closeClaim(claimed, ending, entered)
    await awaitWrite(attempt, ending, writing)
  }
  return { ...aboutOutcome(event, number), ...entered }
}

async function retryEntry(
  attempt: ClaimedAttempt,
  enter: (limitMs: number) => Promise<QuarantineResult>,
): Promise<Written> {
  const entered = await retryInBackground(attempt.services, () => enter(MAX_CALL_MS), isQuarantined)
  return closeClaim(attempt, undefined, entered)
}

/** A delivery that isn't in the quarantine must not look finished to the next attempt. */
async function closeClaim(
  attempt: ClaimedAttempt,
  ending: Ending | undefined,
  entered: QuarantineResult,
): Promise<Written> {
  if (isQuarantined(entered)) return completeClaim(attempt, true)
  // An attempt whose handlers never ran isn't counted.
  await releaseClaim(attempt, ending?.how !== 'crashed')
  return WRITTEN
}

function enterQuarantine(
  attempt: Attempt,
  code: QuarantinedCode,
  error: unknown,
  limitMs: number,
): Promise<QuarantineResult> {
  const { services, event, number = 0 } = attempt
  const { key, eventType } = event
  const entering = quarantine(services, { received: event, key, code, eventType, attempt: number, error }, limitMs)
  attempt.entryWrite = entering
  return entering
}

function isQuarantined({ status }: QuarantineResult): boolean {
  return status === 'quarantined'
}

/** Awaits a write as long as the response may wait, then continues it in the background. */
async function awaitWrite(attempt: Attempt, ending: Ending, writing: Promise<Written>): Promise<void> {
  // The handlers still run: their own end waits for the entry and then ends the lease.
  if (ending.how === 'unfinished') return
  const whole = writing.then(({ rest }) => rest)
  if (ending.isLate) return void (await whole)
  const result = await awaitBriefly(attempt, writing)
  if (result.status === 'value') continueWrite(attempt, result.value)
  else inBackground(attempt, whole)
}

function continueWrite(attempt: Attempt, { rest }: Written): void {
  if (rest) inBackground(attempt, rest)
  else attempt.endLease?.()
}

/** Waits for a write that doesn't change the response: at most min(1 s, the time left). */
export function awaitBriefly<T>(
  { services, event }: Attempt,
  writing: Promise<T>,
): TimeoutResult<T> | Promise<TimeoutResult<T>> {
  return withTimeout(services.settings.clock, Math.min(MAX_AWAITED_MS, event.deadline.left()), () => writing)
}
