/** Finds problems of registered endpoints: disabled ones, new failures, and events that don't match the handlers. */
import type { Endpoint } from '../../api/endpoint.js'
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import { plain } from '../terminal/paint.js'

/** What the state file keeps about an endpoint between two runs. */
export interface Seen {
  readonly failures: number
  /** The time of the run, as an ISO 8601 string. */
  readonly at: string
}

/** What to compare the endpoints with. */
export interface Comparison {
  /** Whether a handler exists for an event. Absent without `--handlers`. */
  readonly handles?: (type: string) => boolean
  /** The last run, by endpoint id. Absent without `--state`. */
  readonly last?: Readonly<Record<string, Seen>>
}

/** A problem of an endpoint. */
export interface Warning {
  readonly endpoint: string
  readonly code: 'incomplete' | 'disabled' | 'failures_grow' | 'not_handled' | 'not_subscribed' | 'unknown_event'
  readonly message: string
}

/** Returns all warnings, endpoint by endpoint. */
export function findWarnings(endpoints: readonly Endpoint[], comparison: Comparison): readonly Warning[] {
  return endpoints.flatMap((endpoint) => [
    ...incomplete(endpoint),
    ...disabled(endpoint),
    ...failures(endpoint, comparison.last?.[endpoint.id]),
    ...subscriptions(endpoint, comparison.handles),
  ])
}

function incomplete(endpoint: Endpoint): readonly Warning[] {
  const absent = (['url', 'events', 'active'] as const).filter((name) => endpoint[name] === undefined)
  if (absent.length === 0) return []
  const message = `The API's response lacks ${absent.join(', ')}. Check this endpoint in GoValid > Account > Webhooks.`
  return [{ endpoint: endpoint.id, code: 'incomplete', message }]
}

function disabled({ id, active }: Endpoint): readonly Warning[] {
  if (active !== false) return []
  const fix = `Fix the cause of the failures, then run: govalid-webhooks endpoints enable ${plain(id)}`
  return [{ endpoint: id, code: 'disabled', message: `This endpoint is disabled and gets no deliveries. ${fix}` }]
}

function failures({ id, failure_count: now = 0 }: Endpoint, last: Seen | undefined): readonly Warning[] {
  const more = last === undefined ? 0 : now - last.failures
  if (more <= 0) return []
  const message = `${more} more attempts failed since ${plain(last?.at ?? '')}, ${now} in total. Five failed attempts of one event disable the endpoint.`
  return [{ endpoint: id, code: 'failures_grow', message }]
}

function subscriptions({ id, events }: Endpoint, handles: Comparison['handles']): readonly Warning[] {
  if (!events) return []
  const warn = (code: Warning['code'], names: readonly string[], message: string): readonly Warning[] =>
    names.length === 0
      ? []
      : [{ endpoint: id, code, message: message.replace('{}', () => names.map((name) => plain(name)).join(', ')) }]
  const unknown = events.filter((name) => !isEventType(name))
  const unknownEvents = warn(
    'unknown_event',
    unknown,
    'Subscribed to {}, which this version does not know. Only onUnknown handles it.',
  )
  if (!handles) return unknownEvents
  const unhandled = events.filter((name) => isEventType(name) && !handles(name))
  const unsubscribed = EVENT_TYPES.filter((name) => handles(name) && !events.includes(name))
  return [
    ...unknownEvents,
    ...warn(
      'not_handled',
      unhandled,
      'Subscribed to {} without a handler. The receiver responds with 200 and ignores it.',
    ),
    ...warn('not_subscribed', unsubscribed, 'Not subscribed to {}, although a handler exists.'),
  ]
}
