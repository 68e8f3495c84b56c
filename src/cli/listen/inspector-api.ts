/** The inspector's API: turns a request of the page into a status and a JSON value. */
import { EVENT_TYPES } from '../../events/event-types.js'
import { isObject } from '../../events/shapes.js'
import { signDelivery } from '../../testing/sign-delivery.js'
import type { HeaderLine, InspectorState } from '../inspector/wire.js'
import { numberedEvent } from '../terminal/numbered-event.js'
import { type DeliveryLog, MAX_KEPT } from './delivery-log.js'
import { detailsOf } from './details.js'
import type { Intake } from './intake.js'
import { bytesOf, type DeliveryRecord } from './record.js'
import type { ListenSettings } from './settings.js'
import type { Watchers } from './watchers.js'

/** The services that the API uses. */
export interface InspectorApiServices {
  readonly settings: ListenSettings
  readonly log: DeliveryLog
  readonly intake: Intake
  readonly watchers: Pick<Watchers, 'announce'>
}

/** A request of the page. */
export interface ApiRequest {
  readonly method: string
  /** The path after `/api`. */
  readonly path: string
  readonly query: URLSearchParams
  /** The parsed JSON body. */
  readonly body: unknown
}

/** The reply to a request. */
export interface ApiReply {
  readonly status: number
  /** The JSON value of the body. */
  readonly value: unknown
}

/** Replies to the requests of the page. */
export type InspectorApi = (request: ApiRequest) => Promise<ApiReply>

const NOT_KEPT = refusal(404, 'This delivery is no longer in the log.')

/** Creates the API. */
export function createInspectorApi(services: InspectorApiServices): InspectorApi {
  const { settings, log, intake, watchers } = services
  return async function replyTo({ method, path, query, body }) {
    const [, resource = '', id = '', action = ''] = path.split('/')
    const route = [method, resource, ...(id === '' ? [] : [':id']), ...(action === '' ? [] : [action])].join(' ')
    const record = log.find(id)
    switch (route) {
      case 'GET state':
        return ok(stateOf(settings))
      case 'GET deliveries':
        return ok(log.list(query.get('search') ?? ''))
      case 'DELETE deliveries':
        log.clear()
        watchers.announce({ kind: 'cleared' })
        return ok([])
      case 'GET deliveries :id':
        return record ? ok(await detailsOf(record, log.all(), settings)) : NOT_KEPT
      case 'POST deliveries :id replay':
        return record ? ok(await replay(intake, record)) : NOT_KEPT
      case 'GET fixture':
        return fixture(query.get('event') ?? '')
      case 'POST send':
        return send(services, body)
      default:
        return refusal(404, 'Not found.')
    }
  }
}

function ok(value: unknown): ApiReply {
  return { status: 200, value }
}

function refusal(status: number, error: string): ApiReply {
  return { status, value: { error } }
}

function stateOf({ endpoint, forwardTo }: ListenSettings): InspectorState {
  const sendCommand = `npx govalid-webhooks send qr.scanned --to ${endpoint}`
  return { endpoint, forward: forwardTo ?? null, events: EVENT_TYPES, maxKept: MAX_KEPT, sendCommand }
}

let fixtures = 0

/** Returns a test event with new bytes every time, because the same bytes would be a duplicate. */
function fixture(event: string): ApiReply {
  if (event === '') return refusal(400, 'The query parameter "event" is missing.')
  return ok({ text: JSON.stringify(numberedEvent(event, fixtures++), undefined, 2) })
}

async function replay(intake: Intake, record: DeliveryRecord): Promise<unknown> {
  const { method, path, headers } = record
  const arrival = { origin: 'replayed' as const, method, path, headers, rawBody: bytesOf(record), isCut: false }
  return (await intake.take(arrival)).summary
}

const BAD_SEND = refusal(400, 'Expected a JSON object with `body` (base64) and `isSigned`.')
const JSON_TYPE: readonly HeaderLine[] = [['content-type', 'application/json']]

async function send({ settings, log, intake }: InspectorApiServices, request: unknown): Promise<ApiReply> {
  if (!isObject(request)) return BAD_SEND
  const { body, isSigned, from } = request
  if (typeof body !== 'string' || typeof isSigned !== 'boolean') return BAD_SEND
  const rawBody = Buffer.from(body, 'base64')
  const original = typeof from === 'string' ? log.find(from) : undefined
  const signed = await signDelivery(rawBody, { secret: settings.secret })
  const headers: readonly HeaderLine[] = isSigned ? Object.entries(signed.headers) : (original?.headers ?? JSON_TYPE)
  const path = original?.path ?? new URL(settings.endpoint).pathname
  return ok((await intake.take({ origin: 'sent', method: 'POST', path, headers, rawBody, isCut: false })).summary)
}
