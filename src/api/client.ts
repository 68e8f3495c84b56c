/** The client of GoValid's webhook management API. Source: govalid docs, API reference, webhooks and authentication. */
import { type Clock, systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import { isObject } from '../events/shapes.js'
import { checkChanges, type Endpoint, type EndpointChanges, type NewEndpoint, readEndpoint } from './endpoint.js'
import type { RateLimit } from './rate-limit.js'
import { type Fetch, type RequestMeans, requestJson, unreadable } from './request.js'

/** What a client needs. */
export interface ApiClientOptions {
  /** The API key, `gv_…`. `undefined` is accepted by the type and refused by name. */
  readonly apiKey: string | undefined
  /** Where the API is. Default: `https://api.govalid.org/api/v1/`. */
  readonly baseUrl?: string
  /** Default: the platform's. */
  readonly fetch?: Fetch
  /** How long a request may take, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number
  /** The clock, for tests. */
  readonly clock?: Clock
}

/**
 * Manages the endpoints of an account. Every method rejects with a {@link WebhookError}: its code begins with `api_`, or is one that the
 * method names for what was asked wrongly.
 */
export interface ApiClient {
  /**
   * Every endpoint of the account.
   *
   * @throws WebhookError `api_response_unreadable` where the list goes on after 100 pages: it would not be whole.
   */
  list(): Promise<readonly Endpoint[]>
  /**
   * Registers an endpoint.
   *
   * @throws WebhookError `option_invalid`, `secret_blank`, before anything is sent.
   */
  create(endpoint: NewEndpoint): Promise<Endpoint>
  /**
   * Changes an endpoint, its secret included. Resolves to what the API answers; what that is, is not documented.
   *
   * @throws WebhookError `option_invalid`, `secret_blank`, before anything is sent.
   */
  update(id: string, changes: EndpointChanges): Promise<Endpoint | undefined>
  /**
   * Removes an endpoint.
   *
   * @throws WebhookError `option_invalid` when the id cannot be one, before anything is sent.
   */
  delete(id: string): Promise<void>
  /**
   * Has GoValid send again, after it disabled the endpoint.
   *
   * @throws WebhookError `option_invalid` when the id cannot be one, before anything is sent.
   */
  enable(id: string): Promise<Endpoint | undefined>
  /**
   * Has GoValid send nothing more.
   *
   * @throws WebhookError `option_invalid` when the id cannot be one, before anything is sent.
   */
  disable(id: string): Promise<Endpoint | undefined>
  /** What the last answer said of the rate limit. */
  rateLimit(): RateLimit | undefined
}

const BASE_URL = 'https://api.govalid.org/api/v1/'
const MAX_PAGES = 100

/**
 * Makes a client of GoValid's webhook management API.
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
  const base = readBaseUrl(options.baseUrl)
  let lastRateLimit: RateLimit | undefined
  const means: RequestMeans = {
    apiKey: readApiKey(options.apiKey),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs: readTimeout(options.timeoutMs),
    clock: options.clock ?? systemClock,
    sawRateLimit: (rateLimit) => {
      lastRateLimit = rateLimit
    },
  }
  const update = async (id: string, changes: EndpointChanges): Promise<Endpoint | undefined> => {
    checkChanges(changes)
    return readEndpoint(await requestJson(means, { method: 'PATCH', url: urlOf(base, id), body: { ...changes } }))
  }
  return {
    list: () => listAll(means, base),
    async create(endpoint) {
      checkComplete(endpoint)
      checkChanges(endpoint)
      const created = readEndpoint(await requestJson(means, { method: 'POST', url: base, body: { ...endpoint } }))
      if (!created) throw unreadable('without the new endpoint; it may have been made: look with list()')
      return created
    },
    update,
    async delete(id) {
      await requestJson(means, { method: 'DELETE', url: urlOf(base, id) })
    },
    enable: (id) => update(id, { active: true }),
    disable: (id) => update(id, { active: false }),
    rateLimit: () => lastRateLimit,
  }
}

/** All pages of the list. The samples show one; the API's other lists name a `next`. */
async function listAll(means: RequestMeans, base: string): Promise<readonly Endpoint[]> {
  const endpoints: Endpoint[] = []
  let url: string | undefined = base
  for (let page = 1; url !== undefined; page++) {
    if (page > MAX_PAGES)
      throw unreadable(`with more than ${MAX_PAGES} pages of endpoints; the list would not be whole`)
    const response = await requestJson(means, { method: 'GET', url })
    const results = Array.isArray(response) ? response : isObject(response) ? response['results'] : undefined
    if (!Array.isArray(results)) throw unreadable('without a list of endpoints')
    for (const result of results) {
      const endpoint = readEndpoint(result)
      if (!endpoint) throw unreadable('with an endpoint that lacks its id, url, events or active')
      endpoints.push(endpoint)
    }
    url = nextPage(base, isObject(response) ? response['next'] : undefined)
  }
  return endpoints
}

/** The address of the next page, if it is one of this API: the key goes nowhere else. */
function nextPage(base: string, next: unknown): string | undefined {
  if (next === undefined || next === null || next === '') return undefined
  // Its text is the server's, and may hold the key.
  const url = typeof next === 'string' ? parseUrl(next, base) : undefined
  if (!url) throw unreadable('with a next page that is no address')
  if (url.origin !== new URL(base).origin) throw unreadable('with a next page at another address')
  return url.href
}

function urlOf(base: string, id: string): string {
  // `.` and `..` are no ids but steps in a path, encoded or not.
  if (typeof id === 'string' && /^(?!\.+$)[^\s\p{Cs}]+$/u.test(id)) return `${base}${encodeURIComponent(id)}/`
  throw new WebhookError('option_invalid', 'id must be the id of an endpoint, for example "wh-001".')
}

function checkComplete({ url, events, secret }: Partial<NewEndpoint>): void {
  const missing = Object.entries({ url, events, secret }).find(([, value]) => value === undefined)
  if (missing) throw new WebhookError('option_invalid', `A new endpoint needs ${missing[0]}.`)
}

function readApiKey(apiKey: unknown): string {
  // What a header cannot carry would be quoted in the platform's own error.
  if (typeof apiKey === 'string' && /^[\x21-\x7e]+$/.test(apiKey)) return apiKey
  const why = apiKey === undefined ? 'undefined' : typeof apiKey === 'string' ? 'blank or holds white space' : 'no text'
  throw new WebhookError(
    'api_key_invalid',
    `apiKey is ${why}. Set it to a key made in GoValid, for example in GOVALID_API_KEY.`,
  )
}

function readBaseUrl(baseUrl = BASE_URL): string {
  const url = parseUrl(baseUrl)
  const isLocal = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)
  if (!url || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new WebhookError('option_invalid', 'baseUrl must be a plain https address, since the API key is sent to it.')
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
    `timeoutMs must be a whole number above 0; it is ${JSON.stringify(timeoutMs)}.`,
  )
}
