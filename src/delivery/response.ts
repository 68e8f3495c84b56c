/**
 * Stage 8 of 8, response: the one table of HTTP responses. In: an outcome. Out: status, headers and a small constant body.
 * 200 = the delivery is finished. 5xx = another attempt can help. 4xx = the request didn't come from GoValid. A response never contains
 * any of the input.
 */
import type { RefusedCode } from '../errors.js'
import type { Outcome } from '../types.js'

/** An HTTP response. The object is shared, so adapters must not change it. */
export interface WebhookResponse {
  /** The HTTP status. */
  readonly status: number
  /** The headers, with lowercase names. */
  readonly headers: Readonly<Record<string, string>>
  /** A small constant JSON text. */
  readonly body: string
  /** Whether to close the connection, because the rest of the request isn't read. */
  readonly closes: boolean
}

const RETRY_AFTER = { 'retry-after': '60' }

const RESPONSES: Readonly<Record<Exclude<Outcome['status'], 'refused'>, WebhookResponse>> = {
  processed: response(200, 'processed'),
  accepted: response(200, 'accepted'),
  duplicate: response(200, 'duplicate'),
  ignored: response(200, 'ignored'),
  quarantined: response(200, 'quarantined'),
  busy: response(503, 'busy', RETRY_AFTER),
  unfinished: response(503, 'unfinished', RETRY_AFTER),
  unavailable: response(503, 'unavailable', RETRY_AFTER),
  failed: response(500, 'failed'),
}

// The three responses are the same, so a stranger doesn't learn why a signature was refused.
const NOT_AUTHENTIC = response(401, 'refused')

const REFUSALS: Readonly<Record<RefusedCode, WebhookResponse>> = {
  signature_missing: NOT_AUTHENTIC,
  signature_malformed: NOT_AUTHENTIC,
  signature_mismatch: NOT_AUTHENTIC,
  method_not_allowed: response(405, 'refused', { allow: 'POST' }),
  body_read_failed: { ...response(400, 'refused'), closes: true },
  body_timeout: { ...response(408, 'refused', { connection: 'close' }), closes: true },
  body_too_large: { ...response(413, 'refused', { connection: 'close' }), closes: true },
  body_encoded: response(415, 'refused'),
  body_already_parsed: response(500, 'refused', {}, 'body_already_parsed'),
  secret_missing: response(500, 'refused', {}, 'secret_missing'),
}

function response(
  status: number,
  outcome: string,
  headers: Readonly<Record<string, string>> = {},
  code?: string,
): WebhookResponse {
  const body = JSON.stringify({ status: outcome, code })
  const constant = { 'content-type': 'application/json', 'content-length': String(body.length) }
  return { status, headers: { ...constant, ...headers }, body, closes: false }
}

/**
 * Returns the response to an outcome, for your own adapter.
 *
 * @example
 * ```ts
 * import { createReceiver, type Delivery, toResponse } from 'govalid-webhooks'
 *
 * const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 *
 * export async function handle(delivery: Delivery) {
 *   const { status, headers, body } = toResponse(await receiver.receive(delivery))
 *   return { status, headers, body }
 * }
 * ```
 */
export function toResponse(outcome: Outcome): WebhookResponse {
  return outcome.status === 'refused' ? REFUSALS[outcome.code] : RESPONSES[outcome.status]
}
