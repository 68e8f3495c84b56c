/**
 * Makes a realistic event of each type, for tests and for trying a receiver: in goes what matters to the test, out comes the whole event.
 */
import { type Clock, systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, type EventType, isEventType } from '../events/event-types.js'
import type { EventData, EventOf } from '../events/events.js'
import { isObject } from '../events/shapes.js'
import { fixtureOf, toTimestamp } from './event-fixtures.js'

/** Any part of a value: members may be left out at every depth; a list is given whole. */
export type PartOf<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Name in keyof Value]?: PartOf<Value[Name]> | undefined }
    : Value

/** What an event shall have in place of the fixture's. A member set to `undefined` is left out of the event. */
export interface EventOverrides<Type extends EventType> {
  /** ISO 8601. */
  readonly timestamp?: string
  /** The id of the subscription. */
  readonly webhook_id?: string
  /** Members of `data`, at any depth. */
  readonly data?: PartOf<EventData[Type]>
  /** The member inside the body. The fixture has none. */
  readonly signature?: string | null
}

/** How an event is made. */
export interface CreateEventOptions {
  /** Where `timestamp` and the dates in `data` come from. Default: the machine's clock. */
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * Makes an event as GoValid could send it. The same arguments on the same clock make the same event.
 *
 * Only `qr.scanned` has a documented `data`. That of the other types is inferred from GoValid's REST reference, and that of
 * `counterfeit.detected` and `institution.staff.invited` is made up: a test on it says something of your code, not of GoValid.
 *
 * @throws WebhookError `event_type_unknown` for a type this version does not know.
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
    const known = `Known: ${EVENT_TYPES.join(', ')}.`
    throw new WebhookError('event_type_unknown', `createEvent knows no event ${JSON.stringify(type)}. ${known}`)
  }
  const now = clock.now()
  const event = { event: type, timestamp: toTimestamp(now), webhook_id: 'wh-001', data: fixtureOf(type, now) }
  return merge(event, { ...overrides, event: type }) as EventOf<Type>
}

/** Lays `part` over `whole`. Members are defined, not assigned: `__proto__` in parsed JSON is a name like any other. */
function merge(whole: unknown, part: unknown): unknown {
  if (!isObject(whole) || !isObject(part)) return part
  const fields = new Map(Object.entries(whole))
  for (const [name, value] of Object.entries(part)) {
    if (value === undefined) fields.delete(name)
    else fields.set(name, merge(fields.get(name), value))
  }
  return Object.fromEntries(fields)
}
