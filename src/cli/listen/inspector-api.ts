/** What the inspector's page can ask for. In: a method, a path and a body. Out: a status and a JSON value. */
import { EVENT_TYPES } from '../../events/event-types.js'
import { isObject } from '../../events/shapes.js'
import { signDelivery } from '../../testing/sign-delivery.js'
import type { HeaderLine, InspectorState, LiveMessage } from '../inspector/wire.js'
import { numberedEvent } from '../terminal/numbered-event.js'
import { type DeliveryLog, MAX_KEPT } from './delivery-log.js'
import { type DetailMeans, detailsOf } from './details.js'
import type { Intake } from './intake.js'
import { bytesOf, type DeliveryRecord } from './record.js'

/** What the API works with. */
export interface ApiMeans extends DetailMeans {
  readonly log: DeliveryLog
  readonly intake: Intake
  /** Tells every open page. */
  announce(message: LiveMessage): void
}

/** A request of the page. */
export interface ApiRequest {
  readonly method: string
  /** Without what all of them begin with. */
  readonly path: string
  readonly query: URLSearchParams
  /** The parsed body. */
  readonly body: unknown
}

/** What it is answered. */
export interface ApiReply {
  readonly status: number
  readonly value: unknown
}

const NO_DELIVERY = refusal(404, 'That delivery is not kept any more.')

/** Answers a request of the page. */
export async function respondApi(means: ApiMeans, { method, path, query, body }: ApiRequest): Promise<ApiReply> {
  const { log } = means
  const [, what = '', id = '', action = ''] = path.split('/')
  const route = [method, what, ...(id === '' ? [] : [':id']), ...(action === '' ? [] : [action])].join(' ')
  const record = log.find(id)
  switch (route) {
    case 'GET state':
      return ok(stateOf(means))
    case 'GET deliveries':
      return ok(log.list(query.get('search') ?? ''))
    case 'DELETE deliveries':
      log.clear()
      means.announce({ kind: 'cleared' })
      return ok([])
    case 'GET deliveries :id':
      return record ? ok(await detailsOf(means, record)) : NO_DELIVERY
    case 'POST deliveries :id replay':
      return record ? ok(await replay(means, record)) : NO_DELIVERY
    case 'GET fixture':
      return fixture(query.get('event') ?? '')
    case 'POST send':
      return send(means, body)
    default:
      return refusal(404, 'There is nothing here.')
  }
}

function ok(value: unknown): ApiReply {
  return { status: 200, value }
}

function refusal(status: number, error: string): ApiReply {
  return { status, value: { error } }
}

function stateOf({ endpoint, forwardTo }: ApiMeans): InspectorState {
  const sendCommand = `npx govalid-webhooks send qr.scanned --to ${endpoint}`
  return { endpoint, forward: forwardTo ?? null, events: EVENT_TYPES, mostKept: MAX_KEPT, sendCommand }
}

let fixtures = 0

/** Each is another one: the same bytes would be a duplicate. */
function fixture(event: string): ApiReply {
  if (event === '') return refusal(400, 'An event has to be named.')
  return ok({ text: JSON.stringify(numberedEvent(event, fixtures++), undefined, 2) })
}

async function replay({ intake }: ApiMeans, record: DeliveryRecord): Promise<unknown> {
  const { method, path, headers } = record
  const arrival = { origin: 'replayed' as const, method, path, headers, rawBody: bytesOf(record), isCut: false }
  return (await intake.take(arrival)).summary
}

async function send(means: ApiMeans, body: unknown): Promise<ApiReply> {
  if (!isObject(body)) return refusal(400, 'That is not what is expected here.')
  const { body: base64, isSigned, from } = body
  if (typeof base64 !== 'string' || typeof isSigned !== 'boolean')
    return refusal(400, 'That is not what is expected here.')
  const rawBody = Buffer.from(base64, 'base64')
  const original = typeof from === 'string' ? means.log.find(from) : undefined
  const signed = await signDelivery(rawBody, { secret: means.secret })
  const headers: readonly HeaderLine[] = isSigned ? Object.entries(signed.headers) : (original?.headers ?? JSON_TYPE)
  const path = original?.path ?? new URL(means.endpoint).pathname
  return ok((await means.intake.take({ origin: 'sent', method: 'POST', path, headers, rawBody, isCut: false })).summary)
}

const JSON_TYPE: readonly HeaderLine[] = [['content-type', 'application/json']]
