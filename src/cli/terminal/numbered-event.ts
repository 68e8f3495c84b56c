/** Events that differ: the same bytes would be the same delivery, and a receiver takes that once. */
import { EVENT_TYPES, type EventType, isEventType } from '../../events/event-types.js'
import { isObject } from '../../events/shapes.js'
import { createEvent } from '../../testing/create-event.js'
import { UsageError } from './usage-error.js'

/** The event nobody knows. */
export const UNKNOWN_EVENT = 'govalid-webhooks.unknown'

/** An event of a type, different for each number; `data` is laid over it. */
export function numberedEvent(type: string, number: number, data: Readonly<Record<string, unknown>> = {}): object {
  if (isEventType(type)) return createEvent(type, { data: { ...differing(type, number), ...data } })
  const { timestamp, webhook_id } = createEvent('counterfeit.detected')
  return { event: type, timestamp, webhook_id, data: { number, ...data } }
}

function differing(type: EventType, number: number): Readonly<Record<string, unknown>> {
  if (number === 0) return {}
  if (type === 'qr.scanned') return { scan_count: 15 + number }
  if (type === 'credit.topup') return { balance: 500 + number }
  if (type === 'counterfeit.detected') return { qr_id: `abc${123 + number}` }
  if (type === 'institution.staff.invited') return { email: `staff+${number}@example.com` }
  if (type.startsWith('payment.')) return { id: `INV-2025-${String(number + 1).padStart(3, '0')}` }
  return { id: `abc${123 + number}` }
}

/** Reads the value of `--data`. */
export function readData(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text ?? '{}')
    if (isObject(data)) return data
  } catch {
    // Told below, like anything else that is no object.
  }
  throw new UsageError('--data must be a JSON object, for example \'{"scan_count":1}\'.')
}

/** The known name nearest to a mistyped one, as a question. */
export function didYouMean(name: string): string {
  const [nearest] = EVENT_TYPES.map((type) => ({ type, distance: distanceOf(name, type) })).sort(
    (a, b) => a.distance - b.distance,
  )
  return nearest && nearest.distance <= 4
    ? ` Did you mean ${nearest.type}?`
    : ` The events are: ${EVENT_TYPES.join(', ')}.`
}

/** The Levenshtein distance: how many letters have to be changed, added or taken away. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let y = 1; y <= from.length; y++) {
    const next = [y]
    for (let x = 1; x <= to.length; x++) {
      const changed = (row[x - 1] as number) + (from[y - 1] === to[x - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[x] as number) + 1, (next[x - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
