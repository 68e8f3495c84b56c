/**
 * The status of a receiver: counts since its creation, and the contents of its inbox.
 */
import type { Clock } from '../clock.js'
import { isEventType } from '../events/event-types.js'
import type { Inbox, InboxStatus } from '../inboxes/inbox.js'
import type { Outcome } from '../types.js'

/** A receiver's state, for health checks and dashboards. Counts start with the process. */
export interface ReceiverStatus {
  /** Outcomes by status. Every attempt counts. */
  readonly outcomes: Readonly<Partial<Record<Outcome['status'], number>>>
  /** Deliveries that the inbox accepted. */
  readonly accepted: number
  /** Deliveries in flight in this process. */
  readonly processing: number
  /** Deliveries waiting in the inbox, including retries; 0 without an inbox, `undefined` if its engine can't count them. */
  readonly waiting: number | undefined
  /** Failed attempts, plus the jobs that the inbox's engine has abandoned. */
  readonly failed: number
  /** Deliveries that were quarantined, or dropped without a quarantine. */
  readonly quarantined: number
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
  count(outcome: Outcome): void
  /** @throws whatever the inbox's engine throws if it can't be reached. */
  status(working: number, inbox: Inbox | undefined): Promise<ReceiverStatus>
}

/** Creates an empty tally. */
export function createTally(clock: Clock): Tally {
  const outcomes: Partial<Record<Outcome['status'], number>> = {}
  const lastDeliveryAt: Record<string, number> = {}
  return {
    count({ status, event }) {
      outcomes[status] = (outcomes[status] ?? 0) + 1
      if (event) lastDeliveryAt[isEventType(event.event) ? event.event : 'unknown'] = clock.now()
    },
    async status(working, inbox) {
      const none: InboxStatus | undefined = inbox
        ? undefined
        : { waiting: 0, processing: 0, failed: 0, oldestWaitingAt: undefined }
      const jobs = inbox?.status ? await inbox.status() : none
      const oldest = jobs?.oldestWaitingAt
      return {
        outcomes: { ...outcomes },
        accepted: outcomes.accepted ?? 0,
        processing: working,
        waiting: jobs?.waiting,
        failed: (outcomes.failed ?? 0) + (jobs?.failed ?? 0),
        quarantined: outcomes.quarantined ?? 0,
        oldestWaitingMs: oldest === undefined ? undefined : clock.now() - oldest,
        drained: jobs && isDrained(jobs),
        lastDeliveryAt: { ...lastDeliveryAt },
      }
    },
  }
}

function isDrained({ waiting, processing: working }: InboxStatus): boolean | undefined {
  if (waiting > 0) return false
  return working === undefined ? undefined : working === 0
}
