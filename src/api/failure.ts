/** The API's failures: an HTTP answer goes in, a coded error comes out, without the API key and without a secret. */
import { type ApiCode, isWebhookError, WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { type RateLimit, type ReadHeader, readRateLimit, readWait } from './rate-limit.js'
import type { Redact } from './redact.js'

/** What GoValid answered; the `cause` of an error of the client. */
export interface ApiFailure {
  /** The HTTP status. */
  readonly status: number
  /** GoValid's own error code, for example `INVALID_TOKEN`. */
  readonly error?: string
  /** GoValid's message. */
  readonly message?: string
  /** GoValid's details, for example which field is wrong. */
  readonly details?: unknown
  /** What is left of the rate limit. */
  readonly rateLimit?: RateLimit
  /** How long to wait before trying again, in milliseconds, where the answer says. */
  readonly retryAfterMs?: number
}

/** What is looked at of an answer. */
export interface ApiResponse {
  readonly status: number
  readonly header: ReadHeader
  readonly text: string
}

/**
 * What GoValid answered to the request that failed; `undefined` for any other error.
 *
 * @example
 * ```ts
 * import { apiFailureOf, createApiClient } from 'govalid-webhooks/api'
 *
 * const client = createApiClient({ apiKey: process.env.GOVALID_API_KEY })
 * await client.delete('wh-001').catch((error: unknown) => console.error(apiFailureOf(error)?.details))
 * ```
 */
export function apiFailureOf(error: unknown): ApiFailure | undefined {
  const cause = isWebhookError(error) && error.code.startsWith('api_') ? error.cause : undefined
  return isObject(cause) && typeof cause['status'] === 'number' ? (cause as unknown as ApiFailure) : undefined
}

/** Makes the error of an answer that is no success. */
export function toApiError(response: ApiResponse, redact: Redact, now: number): WebhookError<ApiCode> {
  const failure = readFailure(response, redact, now)
  const code = codeOf(response.status)
  const said = [failure.error, failure.message].filter((part) => part !== undefined).join(': ')
  const wait = failure.retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(failure.retryAfterMs / 1000)} s.`
  const message = `GoValid answered ${response.status}${said === '' ? '' : `, ${shorten(said)}`}. ${CURES[code]}${wait}`
  return new WebhookError(code, message, { cause: failure })
}

function readFailure({ status, header, text }: ApiResponse, redact: Redact, now: number): ApiFailure {
  const body = parseObject(text)
  const rateLimit = readRateLimit(header, now)
  const retryAfterMs = readWait(header, status === 429 ? rateLimit : undefined, now)
  const error = redact(textOf(body['error']))
  // `detail` is what Django REST Framework says by itself, in front of GoValid's own envelope.
  const message = redact(textOf(body['message']) ?? textOf(body['detail']))
  const details = redact(body['details'])
  return {
    status,
    ...(error !== undefined && { error }),
    ...(message !== undefined && { message }),
    ...(details !== undefined && { details }),
    ...(rateLimit && { rateLimit }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function shorten(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()
  return (line.length > 300 ? `${line.slice(0, 300)}…` : line).replace(/\.$/, '')
}

type AnsweredCode = Exclude<ApiCode, 'api_key_invalid' | 'api_unreachable' | 'api_timeout' | 'api_response_unreadable'>

function codeOf(status: number): AnsweredCode {
  if (status === 401) return 'api_unauthorized'
  if (status === 403) return 'api_forbidden'
  if (status === 404) return 'api_not_found'
  if (status === 429) return 'api_rate_limited'
  return status >= 500 ? 'api_unavailable' : 'api_rejected'
}

const CURES: Readonly<Record<AnsweredCode, string>> = {
  api_unauthorized: 'The API key is wrong, expired or revoked: make a new one in GoValid.',
  api_forbidden: 'The API key may not do this: give it the scope in GoValid (read, write, delete).',
  api_not_found: 'There is no such webhook in this account.',
  api_rejected: 'Put right what it names, and try again.',
  api_rate_limited: 'The hour’s requests are used up.',
  api_unavailable: 'GoValid is in trouble: try again later.',
}
