/**
 * The names of the events that GoValid sends, and the patterns that a handler can be registered for.
 * Source: govalid docs: webhooks setup (eleven names) and API reference, webhooks (`institution.staff.invited`).
 */

/** Every event type that GoValid documents, in the order of its guide. */
export const EVENT_TYPES = [
  'qr.created',
  'qr.scanned',
  'qr.expired',
  'qr.removed',
  'qr.transferred',
  'subscription.created',
  'subscription.cancelled',
  'payment.completed',
  'payment.failed',
  'credit.topup',
  'counterfeit.detected',
  'institution.staff.invited',
] as const

/** The name of a known event. */
export type EventType = (typeof EVENT_TYPES)[number]

type PrefixesOf<Name extends string> = Name extends `${infer Head}.${infer Rest}`
  ? `${Head}.*` | `${Head}.${PrefixesOf<Rest>}`
  : never

/** A namespace of known events, for example `'qr.*'`, `'payment.*'` or `'institution.staff.*'`. */
export type EventNamespace = PrefixesOf<EventType>

/** A pattern that a handler can be registered for: one event, a namespace, or `'*'` for every known event. */
export type EventPattern = EventType | EventNamespace | '*'

/** The known events that match a pattern. */
export type MatchedEventType<Pattern extends EventPattern> = Pattern extends '*'
  ? EventType
  : Pattern extends `${infer Prefix}.*`
    ? Extract<EventType, `${Prefix}.${string}`>
    : Extract<EventType, Pattern>

const KNOWN: ReadonlySet<string> = /* @__PURE__ */ new Set(EVENT_TYPES)

/**
 * Returns whether a string is the name of a known event.
 *
 * @example
 * ```ts
 * import { isEventType } from 'govalid-webhooks'
 *
 * isEventType('qr.scanned') // true
 * isEventType('qr.archived') // false
 * ```
 */
export function isEventType(name: unknown): name is EventType {
  return typeof name === 'string' && KNOWN.has(name)
}

/** Returns the known events that match a pattern; an empty list if none does. */
export function matchPattern(pattern: string): readonly EventType[] {
  if (pattern === '*') return EVENT_TYPES
  if (!pattern.endsWith('.*')) return isEventType(pattern) ? [pattern] : []
  const prefix = pattern.slice(0, -1)
  return EVENT_TYPES.filter((type) => type.startsWith(prefix))
}
