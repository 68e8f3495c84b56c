/**
 * The attempt budget: which attempt is the last, and when a failing delivery is quarantined early.
 * Source of the five attempts and their times: govalid docs, webhooks setup.
 */
import { MAX_ATTEMPTS, MAX_CALL_MS, type Services, type VerifiedEvent } from './verified-event.js'

/** The fourth attempt arrives after 21 minutes at the latest, the fifth after 60 at the earliest. */
const LAST_ATTEMPT_AGE_MS = 45 * 60 * 1000
/** The fifth attempt arrives after 81 minutes, plus the time that each earlier attempt took. */
const FIFTH_ATTEMPT_AGE_MS = 100 * 60 * 1000
/** A second attempt means that the failure lasted a minute or more, and any attempt may be the last to arrive. */
const KEPT_FROM_ATTEMPT = 2
const KEPT_FROM_AGE_MS = 45 * 1000

/**
 * Whether no other attempt will follow. Attempts that never reached the store aren't counted, so with a quarantine the event's age counts
 * as well. Without a quarantine the delivery would be lost, so age counts only for the fifth attempt of an event that is older than this
 * receiver: another process received the earlier attempts, and its count is lost. `attempt` is 0 if the store counted nothing.
 */
export function isLastAttempt(services: Services, event: VerifiedEvent, attempt: number): boolean {
  const { origin } = event
  const { settings } = services
  const firstDeliveryAt = services.firstDeliveryAt()
  if (origin.from === 'inbox') return origin.attempt.last
  if (origin.from === 'quarantine' || attempt >= MAX_ATTEMPTS) return true
  const age = ageMs(services, event)
  if (age <= LAST_ATTEMPT_AGE_MS) return false
  if (settings.quarantine) return true
  // `store: false` counts nothing and a restart loses nothing, so there is no attempt budget.
  if (!settings.hasStore) return false
  return attempt > 0 && age <= FIFTH_ATTEMPT_AGE_MS && settings.clock.now() - age < firstDeliveryAt
}

/**
 * Whether a failing delivery is quarantined although another attempt may follow: that attempt may meet a receiver or a store that is down.
 * A success takes the entry back, so the quarantine must be able to discard.
 */
export function isKeptEarly(services: Services, event: VerifiedEvent, attempt: number): boolean {
  if (event.origin.from !== 'sender' || !services.settings.canDiscard) return false
  const age = ageMs(services, event)
  // An event from the future means that this clock is wrong, and so is every age.
  return attempt >= KEPT_FROM_ATTEMPT || age >= KEPT_FROM_AGE_MS || age < 0
}

/** Kept free before the response, so that the quarantine can confirm on a last attempt, or only for sending the response. */
const QUARANTINE_RESERVE_MS = 1000
const RESPONSE_RESERVE_MS = 100

/**
 * How much time before the response is kept free, in milliseconds: for the quarantine if this is the last attempt, otherwise for sending the
 * response. Short deadlines keep a part of it.
 */
export function reserveMs({ settings }: Services, isLast: boolean): number {
  if (isLast && settings.quarantine) return Math.min(QUARANTINE_RESERVE_MS, settings.deadlineMs / 4)
  return Math.min(RESPONSE_RESERVE_MS, settings.deadlineMs / 10)
}

/** How long a call of the store or the inbox may take before the response, in milliseconds. Waiting under load is not a failure. */
export function callTimeLeft(services: Services, event: VerifiedEvent): number {
  const isLast = event.origin.from === 'sender' && isLastAttempt(services, event, 0)
  return Math.min(MAX_CALL_MS, event.deadline.left() - reserveMs(services, isLast))
}

function ageMs({ settings }: Services, { epochMs }: VerifiedEvent): number {
  return epochMs === undefined ? 0 : settings.clock.now() - epochMs
}
