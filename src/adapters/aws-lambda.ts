/**
 * Adapter for AWS Lambda behind API Gateway (REST and HTTP APIs), a function URL or an Application Load Balancer. In: the invocation's event.
 * Out: the response object of the same service. The lease isn't renewed after the response, because Lambda freezes the process then.
 */
import { Buffer } from 'node:buffer'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import type { BodySource, BodyStream, Delivery } from '../types.js'
import { requireReceiver } from './require-receiver.js'

/**
 * The fields of an HTTP event that the adapter reads. The events of API Gateway (payload formats 1.0 and 2.0), function URLs and load
 * balancers fit, also as `@types/aws-lambda` declares them.
 */
export interface LambdaEvent {
  /** The HTTP method, in payload format 1.0 and behind a load balancer. */
  readonly httpMethod?: string | undefined
  /** The headers in any letter case. Absent if a load balancer sends multi-value headers. */
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined
  /** Every value of each header. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined
  /** The body as text or in base64. */
  readonly body?: string | null | undefined
  /** Whether `body` is base64. */
  readonly isBase64Encoded?: boolean | undefined
  /** Has the HTTP method as `http.method` in payload format 2.0. */
  readonly requestContext?: unknown
}

/** The response object. It has `multiValueHeaders` instead of `headers` if the event had only those. */
export interface LambdaResponse {
  /** The HTTP status. */
  statusCode: number
  /** The headers. */
  headers?: Record<string, string>
  /** The headers for a load balancer with multi-value headers. */
  multiValueHeaders?: Record<string, string[]>
  /** A small constant JSON text. */
  body: string
  /** Always `false`. A load balancer requires the field. */
  isBase64Encoded: boolean
}

/** A Lambda function. Lambda also passes its context, which the adapter doesn't need. */
export type LambdaHandler = (event: LambdaEvent) => Promise<LambdaResponse>

/** The gateway writes these headers itself; API Gateway renames them if a function sends them. */
const OF_THE_GATEWAY = ['connection', 'content-length']

const PARSED =
  'event.body is a parsed value. Remove the middleware that parses it for this function, such as httpJsonBodyParser of Middy. ' +
  'In API Gateway, use the Lambda proxy integration without a mapping template. See docs/frameworks/aws-lambda.md.'

/**
 * Turns a receiver into a Lambda function for API Gateway, function URLs and load balancers.
 *
 * The function rejects with `option_invalid` if the event isn't an HTTP request, such as an SQS message.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/aws-lambda'
 *
 * const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 *
 * export const handler = toHandler(receiver)
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): LambdaHandler {
  requireReceiver(receiver, 'toHandler')
  return async function handleLambdaEvent(event) {
    const outcome = await receiver.receive(toDelivery(event))
    const { status, headers, body } = toResponse(outcome)
    const sent = Object.entries(headers).filter(([name]) => !OF_THE_GATEWAY.includes(name))
    const base = { statusCode: status, body, isBase64Encoded: false }
    if (event.headers || !event.multiValueHeaders) return { ...base, headers: Object.fromEntries(sent) }
    return { ...base, multiValueHeaders: Object.fromEntries(sent.map(([name, value]) => [name, [value]])) }
  }
}

function toDelivery(event: LambdaEvent): Delivery {
  const method = methodOf(event)
  const headers = readHeaders(event)
  return {
    method,
    header: (name) => headers[name],
    headers: () => headers,
    body: toBody(event),
    freezesAfterResponse: true,
  }
}

function methodOf(event: LambdaEvent): string {
  const context = event?.requestContext as { readonly http?: { readonly method?: unknown } } | null | undefined
  const method: unknown = event?.httpMethod ?? context?.http?.method
  if (typeof method === 'string') return method
  throw new WebhookError(
    'option_invalid',
    `The Lambda function must be invoked with an HTTP request, and was invoked with ${describe(event)}. Invoke it through a function ` +
      'URL, API Gateway (Lambda proxy integration) or an Application Load Balancer. See docs/frameworks/aws-lambda.md.',
  )
}

/** Names only the kind of the event, because an event may hold anything. */
function describe(event: unknown): string {
  if (typeof event !== 'object' || event === null) return event === null ? 'null' : typeof event
  const names = Object.keys(event)
  if (event instanceof Request) return 'a Request, which govalid-webhooks/fetch accepts'
  if (names.includes('Records')) return 'the records of a queue, topic or stream'
  if (names.includes('detail-type')) return 'an EventBridge event'
  return names.length === 0 ? 'an empty object' : `an object with the fields ${names.slice(0, 5).join(', ')}`
}

/** Returns the headers with lowercase names. A header that was sent twice has both values, so a second signature is refused. */
function readHeaders({ headers, multiValueHeaders }: LambdaEvent): Readonly<Record<string, string>> {
  const read: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(multiValueHeaders ?? headers ?? {})) {
    const values = [read[name.toLowerCase()], ...(Array.isArray(value) ? value : [value])]
    read[name.toLowerCase()] = values.filter((each) => typeof each === 'string').join(', ')
  }
  return read
}

function toBody({ body, isBase64Encoded }: LambdaEvent): BodySource {
  if (body === null || body === undefined) return null
  if (typeof body !== 'string') return { alreadyParsed: PARSED }
  return isBase64Encoded ? decodedLater(body) : body
}

/** Decodes base64 only when the receiver reads the body. It refuses an unsigned request before that. */
function decodedLater(base64: string): BodyStream {
  return {
    read(consumer) {
      consumer.chunk(Buffer.from(base64, 'base64'))
      consumer.end()
      return () => {}
    },
  }
}
