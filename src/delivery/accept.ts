/**
 * The inbox in place of stages 5 to 7: takes a verified event in, and answers 200 only once it is durable.
 */
import { withTimeout } from '../clock.js'
import type { AcceptedDelivery, Inbox } from '../inboxes/inbox.js'
import type { Outcome } from '../types.js'
import { about } from './finish.js'
import { type EventWork, receivedAt, type WorkMeans } from './handler-run.js'
import { respondUnavailable } from './process.js'
import { SIGNATURE_HEADER } from './signature.js'

/** The longest an inbox may take to confirm, in milliseconds. */
const INBOX_CALL_MS = 1000

/** Gives a verified event to the inbox. What it does not confirm in time is answered 503: the sender's retry is taken once all the same. */
export async function acceptDelivery(means: WorkMeans, inbox: Inbox, work: EventWork): Promise<Outcome> {
  const limitMs = Math.min(INBOX_CALL_MS, work.deadline.left())
  const settled = await withTimeout(means.settings.clock, limitMs, () => inbox.accept(toAccepted(work)))
  if (settled.status === 'value') return { ...about(work), status: 'accepted' }
  const error = settled.status === 'error' ? settled.error : 'the inbox did not confirm in time'
  return respondUnavailable(means, work, 'inbox_unavailable', error)
}

function toAccepted(work: EventWork): AcceptedDelivery {
  const { key, rawBody, delivery } = work
  const signature = delivery.header(SIGNATURE_HEADER)
  // Verified, so there is a signature, and it is text.
  const headers = { ...delivery.headers?.(), [SIGNATURE_HEADER]: signature as string }
  return { key, rawBody, headers, receivedAt: receivedAt(work) }
}
