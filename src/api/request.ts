/**
 * One request to GoValid's API: in goes method, path and body, out comes the answer's JSON, unwrapped. Rejects with a coded error that
 * holds neither the API key nor a secret. Nothing is tried again and no redirect is followed: the key must not travel elsewhere.
 */
import { type Clock, withTimeout } from '../clock.js'
import { type ApiCode, WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { type ApiResponse, toApiError } from './failure.js'
import { type RateLimit, readRateLimit } from './rate-limit.js'
import { createRedact, type Redact } from './redact.js'

/** As much of `fetch` as is used: the platform's own, undici's, or one for tests. */
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
    /** A header's value. */
    readonly get: (name: string) => string | null
  }
  /** The body. */
  readonly text: () => Promise<string>
}>

/** What requests are made with. */
export interface RequestMeans {
  readonly apiKey: string
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly clock: Clock
  /** Told of every answer's rate limit. */
  sawRateLimit(rateLimit: RateLimit): void
}

/** A request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** Makes a request; resolves to the JSON of its answer, or `undefined` where it has no body. */
export async function requestJson(means: RequestMeans, request: ApiRequest): Promise<unknown> {
  const { secret } = request.body ?? {}
  const redact = createRedact([means.apiKey, ...(typeof secret === 'string' ? [secret] : [])])
  const answer = await exchange(means, request, redact)
  const now = means.clock.now()
  const rateLimit = readRateLimit(answer.header, now)
  if (rateLimit) means.sawRateLimit(rateLimit)
  if (answer.status >= 400) throw toApiError(answer, redact, now)
  if (answer.status < 200 || answer.status >= 300) {
    throw unreadable(`with ${answer.status}, a redirect. Look whether baseUrl is right`)
  }
  return unwrap(answer, redact, now)
}

async function exchange(means: RequestMeans, request: ApiRequest, redact: Redact): Promise<ApiResponse> {
  const { timeoutMs } = means
  const abort = new AbortController()
  const settled = await withTimeout(means.clock, timeoutMs, () => send(means, request, abort.signal))
  if (settled.status === 'value') return settled.value
  abort.abort()
  if (settled.status === 'late') {
    throw new WebhookError('api_timeout', `GoValid's API did not answer within ${timeoutMs} ms. Try again later.`)
  }
  const reason = redact(reasonOf(settled.error))
  throw new WebhookError(
    'api_unreachable',
    `GoValid's API cannot be reached (${reason}). Look at the network, and at baseUrl.`,
  )
}

async function send(means: RequestMeans, { method, url, body }: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
  const { fetch } = means
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${means.apiKey}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal,
  })
  return { status: response.status, header: (name) => response.headers.get(name), text: await response.text() }
}

/** What went wrong on the way: a system's code where there is one, since an error's message may quote the request. */
function reasonOf(error: unknown): string {
  const inner = isObject(error) && isObject(error['cause']) ? error['cause'] : error
  const code = isObject(inner) ? inner['code'] : undefined
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}

/** The data of an answer: as it is, or inside the `{ success, data }` that the API reference speaks of. */
function unwrap(answer: ApiResponse, redact: Redact, now: number): unknown {
  if (answer.text.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(answer.text)
  } catch {
    throw unreadable('with something that is not JSON. Look whether baseUrl is right')
  }
  if (!isObject(value) || typeof value['success'] !== 'boolean') return value
  if (!value['success']) throw toApiError(answer, redact, now)
  return value['data']
}

/** An answer that is not what the documentation says. */
export function unreadable(how: string): WebhookError<ApiCode> {
  return new WebhookError('api_response_unreadable', `GoValid's API answered ${how}.`)
}
