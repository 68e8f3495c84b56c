/** Turns an HTTP error response of GoValid's API into a coded error that contains neither the API key nor a secret. */
import { type ApiCode, isWebhookError, WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { type RateLimit, type ReadHeader, readRateLimit, readWait } from './rate-limit.js'
import { type Redact, withoutSecretFields } from './redact.js'

/** The error response of GoValid; the `cause` of an error that the client throws. */
export interface ApiFailure {
  /** The HTTP status. */
  readonly status: number
  /** GoValid's own error code, for example `INVALID_TOKEN`. */
  readonly error?: string
  /** GoValid's message. */
  readonly message?: string
  /** GoValid's details, for example the field that is wrong. */
  readonly details?: unknown
  /** The rate limit that the response reported. */
  readonly rateLimit?: RateLimit
  /** The time to wait before a retry, in milliseconds, if the response says so. */
  readonly retryAfterMs?: number
}

/** The parts of a response that the client reads. */
export interface ApiResponse {
  readonly status: number
  readonly header: ReadHeader
  readonly text: string
}

/**
 * Returns GoValid's response to the request that failed, or `undefined` for any other error.
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

/** Creates the error for an unsuccessful response. */
export function toApiError(response: ApiResponse, redact: Redact, now: number): WebhookError<ApiCode> {
  const failure = readFailure(response, redact, now)
  const code = codeOf(response.status)
  const reason = [failure.error, failure.message].filter((part) => part !== undefined).join(': ')
  const wait = failure.retryAfterMs === undefined ? '' : ` Retry in ${Math.ceil(failure.retryAfterMs / 1000)} s.`
  const message = `GoValid's API returned ${response.status}${reason === '' ? '' : `, ${shorten(reason)}`}. ${FIXES[code]}${wait}`
  return new WebhookError(code, message, { cause: failure })
}

function readFailure({ status, header, text }: ApiResponse, redact: Redact, now: number): ApiFailure {
  const body = withoutSecretFields(parseObject(text), isBareSecret)
  const rateLimit = readRateLimit(header, now)
  const retryAfterMs = readWait(header, status === 429 ? rateLimit : undefined, now)
  const error = redact(textOf(body['error']))
  // Django REST Framework uses `detail` for errors that it raises before GoValid's code runs.
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

/** Whether a text is a secret. A message about a field that is named `secret` has several words. */
function isBareSecret(text: string): boolean {
  return text.length >= 12 && !/\s/.test(text)
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

type ResponseCode = Exclude<ApiCode, 'api_key_invalid' | 'api_unreachable' | 'api_timeout' | 'api_response_unreadable'>

function codeOf(status: number): ResponseCode {
  if (status === 401) return 'api_unauthorized'
  if (status === 403) return 'api_forbidden'
  if (status === 404) return 'api_not_found'
  if (status === 429) return 'api_rate_limited'
  return status >= 500 ? 'api_unavailable' : 'api_rejected'
}

const FIXES: Readonly<Record<ResponseCode, string>> = {
  api_unauthorized: 'The API key is wrong, expired or revoked. Create a new key in GoValid.',
  api_forbidden: 'The API key lacks the scope for this request (read, write or delete). Add the scope in GoValid.',
  api_not_found: 'This account has no webhook with this id. List the ids with list().',
  api_rejected: 'Correct the request and send it again.',
  api_rate_limited: 'The account has used up its requests for this hour.',
  api_unavailable: 'GoValid’s API has a problem. Retry later.',
}
