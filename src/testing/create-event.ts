/**
 * Creates a realistic event of any type for tests. Takes the type and the fields that matter to the test; returns the whole event.
 */
import { type Clock, systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, type EventType, isEventType } from '../events/event-types.js'
import type { EventData, EventOf } from '../events/events.js'
import { nearestName } from '../events/nearest-name.js'
import { isObject } from '../events/shapes.js'
import { fixtureOf, toTimestamp } from './event-fixtures.js'

/** Any part of a value. Fields are optional at every depth; a list is replaced as a whole. */
export type PartOf<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Name in keyof Value]?: PartOf<Value[Name]> | undefined }
    : Value

/** Fields to change in the generated event. A field set to `undefined` is removed from the event. */
export interface EventOverrides<Type extends EventType> {
  /** ISO 8601. */
  readonly timestamp?: string | undefined
  /** The id of the subscription. */
  readonly webhook_id?: string | undefined
  /** Fields of `data`, at any depth. */
  readonly data?: PartOf<EventData[Type]> | undefined
  /** The `signature` field inside the body. By default, the event has none. */
  readonly signature?: string | null | undefined
}

/** Options of `createEvent`. */
export interface CreateEventOptions {
  /** The source of `timestamp` and of the dates in `data`. Default: the machine's clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/**
 * Creates an event as GoValid could send it. The same arguments and the same time always give the same event.
 *
 * Only `qr.scanned` has a documented `data`. For most other types, `data` is inferred from GoValid's REST reference. For
 * `counterfeit.detected` and `institution.staff.invited` it is invented, so a test with them checks your code, not GoValid.
 *
 * @throws WebhookError `event_type_unknown` if this version doesn't know the type.
 *
 * @example
 * ```ts
 * import { createEvent, fixedClock, signDelivery } from 'govalid-webhooks/testing'
 *
 * const clock = fixedClock('2025-01-29T12:00:00Z')
 * const event = createEvent('qr.scanned', { data: { scan_count: 1, scan_location: { city: 'Bandung' } } }, { clock })
 * const signed = await signDelivery(event, { secret: 'a secret' })
 * ```
 */
export function createEvent<const Type extends EventType>(
  type: Type,
  overrides: EventOverrides<Type> = {},
  { clock = systemClock }: CreateEventOptions = {},
): EventOf<Type> {
  if (!isEventType(type)) {
    throw new WebhookError('event_type_unknown', describeUnknown(type))
  }
  const now = clock.now()
  const event = { event: type, timestamp: toTimestamp(now), webhook_id: 'wh-001', data: fixtureOf(type, now) }
  return merge(event, { ...overrides, event: type }) as EventOf<Type>
}

function describeUnknown(type: unknown): string {
  const nearest = nearestName(String(type), EVENT_TYPES)
  const suggestion = nearest === undefined ? '' : `Did you mean "${nearest}"? `
  const known = `Known types: ${EVENT_TYPES.join(', ')}.`
  return `createEvent doesn't know the event type ${JSON.stringify(type)}. ${suggestion}${known} See docs/reference/events.md.`
}

/** Merges `part` into `whole`. `Object.fromEntries` defines fields instead of assigning them, so `__proto__` is an ordinary name. */
function merge(whole: unknown, part: unknown): unknown {
  if (!isObject(whole) || !isObject(part)) return part
  const fields = new Map(Object.entries(whole))
  for (const [name, value] of Object.entries(part)) {
    if (value === undefined) fields.delete(name)
    else fields.set(name, merge(fields.get(name), value))
  }
  return Object.fromEntries(fields)
}
