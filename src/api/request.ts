/**
 * Sends one request to GoValid's API and returns the data of its JSON response. Rejects with a coded error that contains neither the API
 * key nor a secret. It doesn't retry, and it doesn't follow redirects, because they would send the key to another server.
 */
import { type Clock, withTimeout } from '../clock.js'
import { type ApiCode, WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { type ApiResponse, toApiError } from './failure.js'
import { type RateLimit, readRateLimit } from './rate-limit.js'
import { createRedact, type Redact, withoutSecretFields } from './redact.js'

/** The part of `fetch` that the client uses. The platform's `fetch` fits, and so do undici's and a fake for tests. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
) => Promise<{
  readonly status: number
  readonly headers: {
    /** Returns the value of a header. */
    readonly get: (name: string) => string | null
  }
  /** Reads the body. */
  readonly text: () => Promise<string>
}>

/** The settings that all requests of a client share. */
export interface RequestSettings {
  readonly apiKey: string
  /** The webhook secrets that no result and no error contains, in addition to the API key. */
  readonly secrets: Set<string>
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly clock: Clock
  /** Receives the rate limit of every response. */
  onRateLimit(rateLimit: RateLimit): void
}

/** One request to the API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** How many secrets of earlier requests a client looks for in later responses. */
const MAX_SECRETS = 20

/** The data of a response, and the function that removes what is confidential from the parts that leave the client. */
export interface ApiData {
  readonly data: unknown
  readonly redact: Redact
}

/** Sends a request. Resolves to the data of the response; `data` is `undefined` if the response has no body. */
export async function requestJson(settings: RequestSettings, request: ApiRequest): Promise<ApiData> {
  const { apiKey, secrets } = settings
  const { secret } = request.body ?? {}
  if (typeof secret === 'string') secrets.add(secret)
  for (const oldest of secrets) if (secrets.size > MAX_SECRETS) secrets.delete(oldest)
  const redactTexts = createRedact([apiKey, ...secrets])
  const redact: Redact = (value) => redactTexts(withoutSecretFields(value))
  const response = await exchange(settings, request, redactTexts)
  const now = settings.clock.now()
  const rateLimit = readRateLimit(response.header, now)
  if (rateLimit) settings.onRateLimit(rateLimit)
  if (response.status >= 400) throw toApiError(response, redactTexts, now)
  if (response.status < 200 || response.status >= 300) {
    throw unreadable(`${response.status}, a redirect`, 'Check baseUrl')
  }
  return { data: unwrap(response, redactTexts, now), redact }
}

async function exchange(settings: RequestSettings, request: ApiRequest, redact: Redact): Promise<ApiResponse> {
  const { timeoutMs } = settings
  const abort = new AbortController()
  const result = await withTimeout(settings.clock, timeoutMs, () => send(settings, request, abort.signal))
  if (result.status === 'value') return result.value
  abort.abort()
  if (result.status === 'late') {
    throw new WebhookError(
      'api_timeout',
      `GoValid's API did not respond within ${timeoutMs} ms. It may still process the request: call list() before you create an endpoint again.`,
    )
  }
  const reason = redact(reasonOf(result.error))
  throw new WebhookError(
    'api_unreachable',
    `GoValid's API cannot be reached (${reason}). Check the network, the proxy and baseUrl.`,
  )
}

async function send(
  settings: RequestSettings,
  { method, url, body }: ApiRequest,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const { fetch } = settings
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${settings.apiKey}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal,
  })
  return { status: response.status, header: (name) => response.headers.get(name), text: await response.text() }
}

/** Returns the system's code of a network error, or the error's name. Its message may quote the request, so it isn't used. */
function reasonOf(error: unknown): string {
  const inner = isObject(error) && isObject(error['cause']) ? error['cause'] : error
  const code = isObject(inner) ? inner['code'] : undefined
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}

/** Returns the data of a response. The API reference describes a `{ success, data }` wrapper, but its samples have none. */
function unwrap(response: ApiResponse, redact: Redact, now: number): unknown {
  if (response.text.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(response.text)
  } catch {
    throw unreadable('a response that is not JSON', 'Check baseUrl')
  }
  if (!isObject(value) || typeof value['success'] !== 'boolean') return value
  if (!value['success']) throw toApiError(response, redact, now)
  return value['data']
}

/** Creates the error for a response that differs from the documented API. */
export function unreadable(
  received: string,
  fix = 'The API may have changed: update govalid-webhooks',
): WebhookError<ApiCode> {
  return new WebhookError('api_response_unreadable', `GoValid's API returned ${received}. ${fix}.`)
}
