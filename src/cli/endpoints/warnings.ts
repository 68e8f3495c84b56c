/** What is wrong with registered endpoints: in goes the list, what the handlers handle and what the last look saw; out come sentences. */
import type { Endpoint } from '../../api/endpoint.js'
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import { plain } from '../terminal/paint.js'

/** What is remembered of an endpoint between two looks. */
export interface Seen {
  readonly failures: number
  readonly at: string
}

/** What is known beside the list. */
export interface Knowledge {
  /** Whether an event is handled; absent where no handlers were given. */
  readonly handles?: (type: string) => boolean
  /** The last look, by endpoint. */
  readonly last?: Readonly<Record<string, Seen>>
}

/** One thing that is wrong. */
export interface Warning {
  readonly endpoint: string
  readonly code: 'disabled' | 'failures_grow' | 'not_handled' | 'not_subscribed' | 'unknown_event'
  readonly message: string
}

/** Everything that is wrong, endpoint by endpoint. */
export function findWarnings(endpoints: readonly Endpoint[], knowledge: Knowledge): readonly Warning[] {
  return endpoints.flatMap((endpoint) => [
    ...disabled(endpoint),
    ...failures(endpoint, knowledge.last?.[endpoint.id]),
    ...subscriptions(endpoint, knowledge.handles),
  ])
}

function disabled({ id, active }: Endpoint): readonly Warning[] {
  if (active) return []
  const fix = `Find out what failed, then: govalid-webhooks endpoints enable ${plain(id)}`
  return [{ endpoint: id, code: 'disabled', message: `It is disabled: GoValid sends it nothing. ${fix}` }]
}

function failures({ id, failure_count: now = 0 }: Endpoint, last: Seen | undefined): readonly Warning[] {
  const more = last === undefined ? 0 : now - last.failures
  if (more <= 0) return []
  const message = `${more} more failed since ${plain(last?.at ?? '')}, ${now} in all; five failures of one event disable it.`
  return [{ endpoint: id, code: 'failures_grow', message }]
}

function subscriptions({ id, events }: Endpoint, handles: Knowledge['handles']): readonly Warning[] {
  const warn = (code: Warning['code'], names: readonly string[], message: string): readonly Warning[] =>
    names.length === 0
      ? []
      : [{ endpoint: id, code, message: message.replace('{}', () => names.map((name) => plain(name)).join(', ')) }]
  const unknown = events.filter((name) => !isEventType(name))
  const news = warn(
    'unknown_event',
    unknown,
    'It is sent {}, which this version does not know. Only onUnknown hears of it.',
  )
  if (!handles) return news
  const idle = events.filter((name) => isEventType(name) && !handles(name))
  const missed = EVENT_TYPES.filter((name) => handles(name) && !events.includes(name))
  return [
    ...news,
    ...warn('not_handled', idle, 'It is sent {}, which no handler handles: answered 200 and ignored.'),
    ...warn('not_subscribed', missed, 'It is not sent {}, which a handler waits for.'),
  ]
}
