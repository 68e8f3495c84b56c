/** Creates events with different bytes. A receiver treats the same bytes as the same delivery and processes them once. */
import { type EventType, isEventType } from '../../events/event-types.js'
import { createEvent } from '../../testing/create-event.js'

/** An event type that no version of GoValid or of this package knows. */
export const UNKNOWN_EVENT = 'govalid-webhooks.unknown'

/** Creates an event whose bytes depend on `number`. The fields of `data` replace the generated fields. */
export function numberedEvent(type: string, number: number, data: Readonly<Record<string, unknown>> = {}): object {
  if (isEventType(type)) return createEvent(type, { data: { ...numberedFields(type, number), ...data } })
  const { timestamp, webhook_id } = createEvent('counterfeit.detected')
  return { event: type, timestamp, webhook_id, data: { number, ...data } }
}

function numberedFields(type: EventType, number: number): Readonly<Record<string, unknown>> {
  if (number === 0) return {}
  if (type === 'qr.scanned') return { scan_count: 15 + number }
  if (type === 'credit.topup') return { balance: 500 + number }
  if (type === 'counterfeit.detected') return { qr_id: `abc${123 + number}` }
  if (type === 'institution.staff.invited') return { email: `staff+${number}@example.com` }
  if (type.startsWith('payment.')) return { id: `INV-2025-${String(number + 1).padStart(3, '0')}` }
  return { id: `abc${123 + number}` }
}
