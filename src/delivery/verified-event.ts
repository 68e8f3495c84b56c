/**
 * The types that stages 5 to 7 share: a verified event, where it came from, the services of its receiver, and one attempt to process it.
 */

import type { Deadline } from '../clock.js'
import type { Digest } from '../crypto/digest.js'
import type { GoValidEvent, Issue, UnknownEvent } from '../events/events.js'
import type { InboxAttempt } from '../inboxes/inbox.js'
import type { Handlers, RegisteredHandler } from '../receiver/handlers.js'
import type { InFlight } from '../receiver/in-flight.js'
import type { Settings } from '../receiver/options.js'
import type { Reporter } from '../receiver/reporter.js'
import type { SecretLoader } from '../receiver/secret-loader.js'
import type { Store } from '../stores/store.js'
import type { Delivery, Outcome, OutcomeDetails } from '../types.js'
import type { ReadEvent } from './event.js'

/** What a receiver keeps for its whole life and every delivery uses. */
export interface Services {
  readonly settings: Settings
  readonly store: Store<unknown>
  readonly reporter: Reporter
  readonly inFlight: InFlight
  readonly handlers: Handlers
  readonly digest: Digest
  /** Returns the secrets; loads them on the first delivery. */
  loadSecrets: SecretLoader['loadSecrets']
  reloadSecrets: SecretLoader['reloadSecrets']
  /** Returns a new claim token. */
  newToken(): string
  /** When this receiver processed its first delivery, in epoch milliseconds. */
  firstDeliveryAt(): number
  /** Until when a background write that first failed at `since` is retried; both by the monotonic clock. */
  retryUntil(since: number): number
  /** Counts an outcome and passes it to `onOutcome`. */
  recordOutcome(outcome: Outcome, about: OutcomeContext): void
}

/** What is known about an outcome besides the outcome itself. */
export interface OutcomeContext {
  /** The event type as received, if the event was read. */
  readonly eventType: string | undefined
  readonly delivery: Delivery
  readonly origin: Origin
  /** The time since the delivery arrived, in milliseconds. */
  readonly durationMs: number
  /** The response had left before. */
  readonly isLate: boolean
}

/** Where a delivery comes from. It decides whose attempts are counted. */
export type Origin =
  | { readonly from: 'sender' }
  /** Reprocessed by a person. */
  | { readonly from: 'quarantine' }
  /** Accepted earlier. The inbox's engine makes the attempts. */
  | { readonly from: 'inbox'; readonly attempt: InboxAttempt; readonly receivedAt: number }

/** A delivery whose body has been read. */
export interface ReceivedBody {
  readonly delivery: Delivery
  /** The receiver's own bytes. Handlers get a copy if the quarantine may need them. */
  readonly rawBody: Uint8Array
  /** The headers for the quarantine or the inbox, among them the signature. Copied when the delivery arrived. */
  readonly headers: Readonly<Record<string, string>>
  readonly deadline: Deadline
  readonly origin: Origin
}

/** An event with a valid signature, ready for stages 5 to 7. */
export interface VerifiedEvent extends ReceivedBody {
  /** The idempotency key: 64 lowercase hex digits. */
  readonly key: string
  /** Which configured secret matched, from 0. */
  readonly secretIndex: number
  readonly handlers: readonly RegisteredHandler[]
  /** The event type as received. A handler may change `event`. */
  readonly eventType: string
  readonly event: GoValidEvent | UnknownEvent
  readonly issues: readonly Issue[]
  /** The event's own time in epoch milliseconds, if its `timestamp` is readable. */
  readonly epochMs: number | undefined
  /** Until when the store must remember the delivery, in epoch milliseconds. */
  readonly retainUntil: number
  /** The user's schema threw, so the attempt fails before any handler runs. */
  readonly schemaFailure: { readonly error: unknown } | undefined
}

type EventDetails = Pick<VerifiedEvent, 'key' | 'secretIndex' | 'eventType' | 'handlers' | 'retainUntil'>

/** Creates a verified event. */
export function toVerifiedEvent(
  { delivery, rawBody, headers, deadline, origin }: ReceivedBody,
  { event, issues, epochMs }: ReadEvent,
  { key, secretIndex, eventType, handlers, retainUntil }: EventDetails,
): VerifiedEvent {
  return {
    delivery,
    rawBody,
    headers,
    deadline,
    origin,
    key,
    secretIndex,
    handlers,
    eventType,
    event,
    issues,
    epochMs,
    retainUntil,
    schemaFailure: undefined,
  }
}

/** A delivery that this receiver has claimed. */
export interface HeldClaim {
  readonly key: string
  readonly token: string
  readonly attempt: number
  readonly releasedAttempts: number
  /** Names of the handlers that earlier attempts and this one have finished. */
  readonly completedHandlers: string[]
  /** The store evicted another delivery early. */
  readonly evictedEarly: boolean
  /** When the store last confirmed the claim, by the monotonic clock. */
  confirmedAt: number
}

/** One attempt to process an event. */
export interface Attempt {
  readonly services: Services
  readonly event: VerifiedEvent
  /** Which attempt this is; `undefined` if the store didn't count it. */
  readonly number: number | undefined
  /** `undefined` if the attempt doesn't hold the claim. */
  readonly claim: HeldClaim | undefined
  /** Ends the lease's heartbeat, if one runs. */
  endLease: (() => void) | undefined
  /** The latest quarantine entry while it is being written. A success discards the entry after this write, not before. */
  entryWrite: Promise<unknown> | undefined
}

/** An attempt that holds the claim. */
export type ClaimedAttempt = Attempt & { readonly claim: HeldClaim }

/** Creates an attempt that holds no claim. */
export function unclaimedAttempt(services: Services, event: VerifiedEvent, number?: number): Attempt {
  return { services, event, number, claim: undefined, endLease: undefined, entryWrite: undefined }
}

/** The maximum time of one call of a store, an inbox or a quarantine, in milliseconds: as long as a response may take. */
export const MAX_CALL_MS = 4500

/** How many attempts GoValid makes. Source: govalid docs, webhooks setup. */
export const MAX_ATTEMPTS = 5

/** The outcome fields that describe the event. */
export function aboutOutcome({ event, key, secretIndex }: VerifiedEvent, attempt?: number): OutcomeDetails {
  if (attempt === undefined) return { event, idempotencyKey: key, secretIndex }
  return { event, idempotencyKey: key, secretIndex, attempt, attemptsLeft: Math.max(0, MAX_ATTEMPTS - attempt) }
}

/** The report fields that describe the event. */
export function aboutReport({ key, eventType }: VerifiedEvent): {
  readonly idempotencyKey: string
  readonly eventType: string
} {
  return { idempotencyKey: key, eventType }
}

/** When the sender's request arrived, in epoch milliseconds. */
export function receivedAt({ origin, deadline }: Pick<ReceivedBody, 'origin' | 'deadline'>): number {
  return origin.from === 'inbox' ? origin.receivedAt : deadline.startedAt
}
