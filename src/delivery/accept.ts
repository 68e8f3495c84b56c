/**
 * With an inbox, this replaces stages 5 to 7: the inbox stores the event durably, and the delivery is processed later.
 */
import { withTimeout } from '../clock.js'
import type { AcceptedDelivery, Inbox } from '../inboxes/inbox.js'
import type { Outcome } from '../types.js'
import { callTimeLeft } from './attempt-budget.js'
import { finish } from './finish.js'
import { LATE } from './messages.js'
import { aboutOutcome, receivedAt, type Services, unclaimedAttempt, type VerifiedEvent } from './verified-event.js'

/** Gives a verified event to the inbox. If the inbox doesn't confirm in time, the outcome is `unavailable`; a retry is accepted only once. */
export async function acceptDelivery(services: Services, inbox: Inbox, event: VerifiedEvent): Promise<Outcome> {
  const limitMs = callTimeLeft(services, event)
  const accepted = await withTimeout(services.settings.clock, limitMs, () => inbox.accept(toAccepted(event)))
  if (accepted.status === 'value') return { ...aboutOutcome(event), status: 'accepted' }
  const error = accepted.status === 'error' ? accepted.error : LATE.inbox
  return finish(unclaimedAttempt(services, event), {
    how: 'unavailable',
    code: 'inbox_unavailable',
    error,
    isLate: false,
  })
}

function toAccepted(event: VerifiedEvent): AcceptedDelivery {
  const { key, rawBody, headers } = event
  return { key, rawBody: new Uint8Array(rawBody), headers: { ...headers }, receivedAt: receivedAt(event) }
}
