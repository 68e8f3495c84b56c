/** The client of GoValid's webhook management API. Source: govalid docs: API reference, webhooks and authentication. */
import { type Clock, systemClock } from '../clock.js'
import { improbableSecret } from '../crypto/secrets.js'
import { WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { checkChanges, type Endpoint, type EndpointChanges, type NewEndpoint, readEndpoint } from './endpoint.js'
import type { RateLimit } from './rate-limit.js'
import { type Fetch, type RequestSettings, requestJson, unreadable } from './request.js'

/** The options of {@link createApiClient}. */
export interface ApiClientOptions {
  /** The API key, `gv_…`. The type accepts `undefined`, so that you can pass an environment variable; a missing key throws. */
  readonly apiKey: string | undefined
  /** The address of the API. Default: `https://api.govalid.org/api/v1/`. */
  readonly baseUrl?: string | undefined
  /** The `fetch` to send requests with. Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** The maximum time for a request, in milliseconds, including the response body. Default: 10,000. */
  readonly timeoutMs?: number | undefined
  /** The clock, for tests. Default: the machine's. */
  readonly clock?: Clock | undefined
}

/**
 * Manages the endpoints of an account. Every method rejects with a {@link WebhookError}. Its code starts with `api_`, or is one of the
 * codes that the method lists for invalid arguments.
 */
export interface ApiClient {
  /**
   * Lists every endpoint of the account.
   *
   * @throws WebhookError `api_response_unreadable` if the list has more than 100 pages, because it would be incomplete.
   */
  list(): Promise<readonly Endpoint[]>
  /**
   * Registers an endpoint.
   *
   * @throws WebhookError `option_invalid`, `secret_blank`, before a request is sent.
   */
  create(endpoint: NewEndpoint): Promise<Endpoint>
  /**
   * Updates fields of an endpoint, including its secret. Resolves to the endpoint if the response contains one. GoValid doesn't document
   * this response.
   *
   * @throws WebhookError `option_invalid`, `secret_blank`, before a request is sent.
   */
  update(id: string, changes: EndpointChanges): Promise<Endpoint | undefined>
  /**
   * Deletes an endpoint.
   *
   * @throws WebhookError `option_invalid` if the id is malformed, before a request is sent.
   */
  delete(id: string): Promise<void>
  /**
   * Enables an endpoint, for example after GoValid disabled it.
   *
   * @throws WebhookError `option_invalid` if the id is malformed, before a request is sent.
   */
  enable(id: string): Promise<Endpoint | undefined>
  /**
   * Disables an endpoint, so that GoValid stops sending deliveries to it.
   *
   * @throws WebhookError `option_invalid` if the id is malformed, before a request is sent.
   */
  disable(id: string): Promise<Endpoint | undefined>
  /** Returns the rate limit of the last response that reported one, without sending a request. */
  rateLimit(): RateLimit | undefined
}

const BASE_URL = 'https://api.govalid.org/api/v1/'
const MAX_PAGES = 100

/**
 * Creates a client of GoValid's webhook management API.
 *
 * @throws WebhookError `api_key_invalid`, `option_invalid`.
 *
 * @example
 * ```ts
 * import { createApiClient } from 'govalid-webhooks/api'
 *
 * const client = createApiClient({ apiKey: process.env.GOVALID_API_KEY })
 * for (const endpoint of await client.list()) {
 *   if (!endpoint.active) await client.enable(endpoint.id)
 * }
 * ```
 */
export function createApiClient(options: ApiClientOptions): ApiClient {
  return createClient(options, [])
}

/** Creates a client whose results and errors contain none of `secrets` either. The command line passes the secrets of its environment. */
export function createClient(options: ApiClientOptions, secrets: readonly string[]): ApiClient {
  const base = readBaseUrl(options.baseUrl)
  let lastRateLimit: RateLimit | undefined
  const settings: RequestSettings = {
    apiKey: readApiKey(options.apiKey),
    secrets: new Set(secrets),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs: readTimeout(options.timeoutMs),
    clock: options.clock ?? systemClock,
    onRateLimit: (rateLimit) => {
      lastRateLimit = rateLimit
    },
  }
  const update = async (id: string, changes: EndpointChanges): Promise<Endpoint | undefined> => {
    checkChanges(changes)
    const { data, redact } = await requestJson(settings, {
      method: 'PATCH',
      url: urlOf(base, id),
      body: { ...changes },
    })
    return readEndpoint(redact(data))
  }
  return {
    list: () => listAll(settings, base),
    async create(endpoint) {
      checkComplete(endpoint)
      checkChanges(endpoint)
      const { data, redact } = await requestJson(settings, { method: 'POST', url: base, body: { ...endpoint } })
      const created = readEndpoint(redact(data))
      if (!created)
        throw unreadable(
          'a response without the new endpoint',
          'It may exist already: call list() before you create it again',
        )
      return created
    },
    update,
    async delete(id) {
      await requestJson(settings, { method: 'DELETE', url: urlOf(base, id) })
    },
    enable: (id) => update(id, { active: true }),
    disable: (id) => update(id, { active: false }),
    rateLimit: () => lastRateLimit,
  }
}

/** Reads all pages of the list. The documented samples have a single page; other lists of the API have a `next` field. */
async function listAll(settings: RequestSettings, base: string): Promise<readonly Endpoint[]> {
  const endpoints: Endpoint[] = []
  let url: string | undefined = base
  for (let page = 1; url !== undefined; page++) {
    if (page > MAX_PAGES) throw unreadable(`more than ${MAX_PAGES} pages of endpoints`, 'The list would be incomplete')
    const { data, redact } = await requestJson(settings, { method: 'GET', url })
    const results = Array.isArray(data) ? data : isObject(data) ? data['results'] : undefined
    if (!Array.isArray(results)) throw unreadable('a response without a list of endpoints')
    for (const result of results) {
      const endpoint = readEndpoint(redact(result))
      if (!endpoint) throw unreadable('an endpoint without an id')
      endpoints.push(endpoint)
    }
    url = nextPage(base, isObject(data) ? data['next'] : undefined)
  }
  return endpoints
}

/** Returns the address of the next page. It must belong to this API, because the request carries the API key. */
function nextPage(base: string, next: unknown): string | undefined {
  if (next === undefined || next === null || next === '') return undefined
  // The server chose this text, and it may contain the key, so the errors don't quote it.
  const url = typeof next === 'string' ? parseUrl(next, base) : undefined
  if (!url) throw unreadable('a "next" field that is not a URL')
  if (url.origin !== new URL(base).origin) throw unreadable('a "next" page on another origin')
  return url.href
}

function urlOf(base: string, id: string): string {
  // `.` and `..` are path segments, even when they are percent-encoded.
  if (typeof id === 'string' && /^(?!\.+$)[^\s\p{Cs}]+$/u.test(id)) return `${base}${encodeURIComponent(id)}/`
  throw new WebhookError(
    'option_invalid',
    'id must be the id of an endpoint, for example "wh-001". List the ids with list().',
  )
}

function checkComplete({ url, events, secret }: Partial<NewEndpoint>): void {
  const missing = Object.entries({ url, events, secret }).find(([, value]) => value === undefined)
  if (missing)
    throw new WebhookError('option_invalid', `A new endpoint needs ${missing[0]}. See docs/reference/api-client.md.`)
}

function readApiKey(apiKey: unknown): string {
  // The platform's error for an invalid header value would quote the key.
  const improbable = typeof apiKey === 'string' ? improbableSecret(apiKey) : undefined
  if (typeof apiKey === 'string' && improbable === undefined && /^[\x21-\x7e]+$/.test(apiKey)) return apiKey
  const problem =
    apiKey === undefined
      ? 'undefined'
      : typeof apiKey !== 'string'
        ? 'not a string'
        : (improbable ?? 'empty, or contains white space or non-ASCII characters')
  throw new WebhookError(
    'api_key_invalid',
    `apiKey is ${problem}. Create a key in GoValid and pass it, for example as GOVALID_API_KEY. See docs/reference/api-client.md.`,
  )
}

function readBaseUrl(baseUrl = BASE_URL): string {
  const url = parseUrl(baseUrl)
  const isLocal = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)
  if (!url || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new WebhookError(
      'option_invalid',
      'baseUrl must be an https URL without user, query and fragment, because it receives the API key. http works for localhost only. ' +
        'See docs/reference/api-client.md.',
    )
  }
  return `${url.href.replace(/\/*$/, '/')}webhooks/`
}

function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

function readTimeout(timeoutMs = 10_000): number {
  if (Number.isSafeInteger(timeoutMs) && timeoutMs > 0) return timeoutMs
  throw new WebhookError(
    'option_invalid',
    `timeoutMs must be a positive integer, in milliseconds. It is ${JSON.stringify(timeoutMs)}.`,
  )
}
