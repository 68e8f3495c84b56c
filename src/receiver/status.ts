/**
 * What a receiver tells of itself: counts since it was created, and what its inbox holds.
 */
import type { Clock } from '../clock.js'
import { isEventType } from '../events/event-types.js'
import type { Inbox, InboxStatus } from '../inboxes/inbox.js'
import type { Outcome } from '../types.js'

/** A receiver's state, for health checks and dashboards. Counts begin with the process. */
export interface ReceiverStatus {
  /** Outcomes by status, each try counted. */
  readonly outcomes: Readonly<Partial<Record<Outcome['status'], number>>>
  /** Accepted by the inbox. */
  readonly accepted: number
  /** Being received or worked in this process now. */
  readonly processing: number
  /** In the inbox and not yet worked, retries included; 0 without an inbox, `undefined` where its engine does not tell. */
  readonly waiting: number | undefined
  /** Tries that failed; with an inbox also what its engine has given up. */
  readonly failed: number
  /** Given to the quarantine, or dropped without one. */
  readonly quarantined: number
  /** How long the oldest delivery has waited in the inbox, in milliseconds; `undefined` when none waits. */
  readonly oldestWaitingMs: number | undefined
  /**
   * Whether the inbox holds nothing: only then may a secret go that was removed from GoValid. `true` without an
   * inbox, `undefined` where its engine does not tell for sure.
   */
  readonly drained: boolean | undefined
  /** When the last authentic delivery of each event type came, in epoch milliseconds; unknown types together under `unknown`. */
  readonly lastDeliveryAt: Readonly<Record<string, number>>
}

/** Counts outcomes. */
export interface Tally {
  count(outcome: Outcome): void
  /** @throws whatever the inbox's engine throws when it cannot be asked. */
  status(working: number, inbox: Inbox | undefined): Promise<ReceiverStatus>
}

/** Makes an empty tally. */
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
      const held = inbox?.status ? await inbox.status() : none
      const oldest = held?.oldestWaitingAt
      return {
        outcomes: { ...outcomes },
        accepted: outcomes.accepted ?? 0,
        processing: working,
        waiting: held?.waiting,
        failed: (outcomes.failed ?? 0) + (held?.failed ?? 0),
        quarantined: outcomes.quarantined ?? 0,
        oldestWaitingMs: oldest === undefined ? undefined : clock.now() - oldest,
        drained: held && isDrained(held),
        lastDeliveryAt: { ...lastDeliveryAt },
      }
    },
  }
}

function isDrained({ waiting, processing: working }: InboxStatus): boolean | undefined {
  if (waiting > 0) return false
  return working === undefined ? undefined : working === 0
}
