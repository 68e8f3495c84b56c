/**
 * The status of a receiver: counts since its creation, and the contents of its inbox and quarantine.
 */
import type { Clock } from '../clock.js'
import type { RefusedCode } from '../errors.js'
import { isEventType } from '../events/event-types.js'
import type { InboxStatus } from '../inboxes/inbox.js'
import type { Store } from '../stores/store.js'
import type { Outcome } from '../types.js'
import type { Settings } from './options.js'

/** A receiver's state, for health checks and dashboards. Counts start with the process. */
export interface ReceiverStatus {
  /** Outcomes by status. Every attempt counts. */
  readonly outcomes: Readonly<Partial<Record<Outcome['status'], number>>>
  /** Outcomes of handlers that ended after the response, by status. */
  readonly lateOutcomes: Readonly<Partial<Record<Outcome['status'], number>>>
  /** Refused requests by code. Many `signature_mismatch` mean a wrong secret; a few `signature_missing` are scanners. */
  readonly refused: Readonly<Partial<Record<RefusedCode, number>>>
  /** Deliveries that the inbox accepted. */
  readonly accepted: number
  /** Deliveries in flight in this process. */
  readonly processing: number
  /** Operations that wait for the store; 0 if the store doesn't queue. */
  readonly waitingOperations: number
  /** Deliveries waiting in the inbox, including retries; 0 without an inbox, `undefined` if its engine can't count them. */
  readonly waiting: number | undefined
  /** Failed attempts, plus the jobs that the inbox's engine has abandoned. */
  readonly failed: number
  /** Deliveries that were quarantined, or dropped without a quarantine. */
  readonly quarantined: number
  /** Entries in the quarantine now; `undefined` if it can't count them. */
  readonly quarantineEntries: number | undefined
  /** How long the oldest delivery has waited in the inbox, in milliseconds; `undefined` if none waits. */
  readonly oldestWaitingMs: number | undefined
  /**
   * Whether the inbox is empty. Only then is it safe to remove a secret that GoValid no longer uses. `true` without an inbox, `undefined` if
   * its engine can't tell.
   */
  readonly drained: boolean | undefined
  /** When the last authentic delivery of each event type arrived, in epoch milliseconds. Unknown types share `unknown`. */
  readonly lastDeliveryAt: Readonly<Record<string, number>>
}

/** Counts outcomes. */
export interface Tally {
  count(outcome: Outcome, about: CountedDelivery): void
  /** @throws the error of the inbox's engine or the quarantine if it can't be reached. */
  status(now: StatusSources): Promise<ReceiverStatus>
}

interface CountedDelivery {
  readonly origin: CountedOrigin
  readonly eventType: string | undefined
  readonly isLate: boolean
  /** The time since the delivery arrived, in milliseconds. */
  readonly durationMs: number
}

type CountedOrigin =
  | { readonly from: 'sender' | 'quarantine' }
  | { readonly from: 'inbox'; readonly receivedAt: number }

interface StatusSources {
  readonly processing: number
  readonly store: Store<unknown>
  readonly settings: Pick<Settings, 'inbox' | 'quarantine'>
}

/** Creates an empty tally. */
export function createTally(clock: Clock): Tally {
  const outcomes: Partial<Record<Outcome['status'], number>> = {}
  const lateOutcomes: Partial<Record<Outcome['status'], number>> = {}
  const refused: Partial<Record<RefusedCode, number>> = {}
  const lastDeliveryAt: Record<string, number> = {}
  return {
    count(outcome, { origin, eventType, isLate, durationMs }) {
      increment(isLate ? lateOutcomes : outcomes, outcome.status)
      if (outcome.status === 'refused') increment(refused, outcome.code)
      if (!outcome.event || isLate || origin.from === 'quarantine') return
      const type = isEventType(eventType ?? '') ? (eventType as string) : 'unknown'
      const at = origin.from === 'inbox' ? origin.receivedAt : clock.now() - durationMs
      lastDeliveryAt[type] = Math.max(at, lastDeliveryAt[type] ?? at)
    },
    async status({ processing, store, settings: { inbox, quarantine } }) {
      const none: InboxStatus | undefined = inbox
        ? undefined
        : { waiting: 0, processing: 0, failed: 0, oldestWaitingAt: undefined }
      const [jobs, quarantineEntries] = await Promise.all([
        inbox?.status ? inbox.status() : none,
        quarantine?.count?.(),
      ])
      const oldest = jobs?.oldestWaitingAt
      return {
        outcomes: { ...outcomes },
        lateOutcomes: { ...lateOutcomes },
        refused: { ...refused },
        accepted: outcomes.accepted ?? 0,
        processing,
        waitingOperations: store.waiting?.() ?? 0,
        waiting: jobs?.waiting,
        failed: (outcomes.failed ?? 0) + (lateOutcomes.failed ?? 0) + (jobs?.failed ?? 0),
        quarantined: (outcomes.quarantined ?? 0) + (lateOutcomes.quarantined ?? 0),
        quarantineEntries,
        oldestWaitingMs: oldest === undefined ? undefined : clock.now() - oldest,
        drained: jobs && isDrained(jobs),
        lastDeliveryAt: { ...lastDeliveryAt },
      }
    },
  }
}

function increment<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function isDrained({ waiting, processing }: InboxStatus): boolean | undefined {
  if (waiting > 0) return false
  return processing === undefined ? undefined : processing === 0
}
