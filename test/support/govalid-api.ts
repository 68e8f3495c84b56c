/**
 * A stand-in for GoValid's webhook management API, on loopback. It is NOT GoValid: it follows the public documentation (API reference:
 * webhooks, authentication, errors, rate limits). Where the documentation is silent, it behaves as Django REST Framework does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A stored webhook. Responses omit `secret` and `description`, as the documented ones do. */
export interface KeptWebhook {
  id: string
  url: string
  events: string[]
  secret: string
  description?: string
  active: boolean
  created_at: string
  last_triggered: string | null
  success_count: number
  failure_count: number
}

/** Choices where the documentation is silent. */
export interface StandInOptions {
  readonly apiKey: string
  /** Wraps responses in `{ success: true, data }`, as the API reference claims for all responses. Its samples aren't wrapped. */
  readonly wrapped?: boolean
  /** Responds to PATCH without a body. */
  readonly silentUpdates?: boolean
  /** The number of endpoints per page; `next` holds the address of the next page. */
  readonly pageSize?: number
  /** Requests per hour. */
  readonly limit?: number
}

/** The running stand-in. */
export interface StandIn {
  readonly baseUrl: string
  readonly webhooks: KeptWebhook[]
  /** All requests so far: method, path, headers and body. */
  readonly requests: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly body: string }[]
  /** Replaces the response to the next request. */
  respondNext(respond: (response: ServerResponse) => void): void
  close(): Promise<void>
}

/** Starts the stand-in on a free port. */
export async function startGoValidApi(options: StandInOptions): Promise<StandIn> {
  const webhooks: KeptWebhook[] = []
  const requests: StandIn['requests'] = []
  const planned: ((response: ServerResponse) => void)[] = []
  const server: Server = createServer((request, response) => {
    void readText(request).then((body) => {
      requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
      const limit = options.limit ?? 100
      response.setHeader('X-RateLimit-Limit', limit)
      response.setHeader('X-RateLimit-Remaining', Math.max(0, limit - requests.length))
      response.setHeader('X-RateLimit-Reset', 1800)
      const plan = planned.shift()
      if (plan) plan(response)
      else if (requests.length > limit) refuse(response, 429, 'RATE_LIMIT_EXCEEDED', 'Too many requests.')
      else write(response, respond(request, body, webhooks, options), options.wrapped)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/api/v1/`,
    webhooks,
    requests,
    respondNext: (plan) => void planned.push(plan),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Responds with an error in the shape that the API reference shows. */
export function refuse(
  response: ServerResponse,
  status: number,
  error: string,
  message: string,
  details: unknown = {},
): void {
  write(response, { status, body: { error, message, details } })
}

interface StandInResponse {
  readonly status: number
  readonly body?: unknown
}

const NOT_FOUND: StandInResponse = { status: 404, body: { error: 'NOT_FOUND', message: 'Not found.', details: {} } }
const NOT_ALLOWED: StandInResponse = { status: 405, body: { error: 'METHOD_NOT_ALLOWED', message: 'No.', details: {} } }
const NO_KEY: StandInResponse = {
  status: 401,
  body: { error: 'INVALID_TOKEN', message: 'The key is not valid.', details: {} },
}

function respond(
  request: IncomingMessage,
  body: string,
  webhooks: KeptWebhook[],
  options: StandInOptions,
): StandInResponse {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in')
  if (request.headers.authorization !== `Bearer ${options.apiKey}`) return NO_KEY
  const path = /^\/api\/v1\/webhooks\/(?:([^/]+)\/)?$/.exec(pathname)
  if (!path) return NOT_FOUND
  if (path[1] === undefined) {
    if (request.method === 'GET') return page(webhooks, Number(searchParams.get('page') ?? 1), options)
    return request.method === 'POST' ? create(JSON.parse(body), webhooks) : NOT_ALLOWED
  }
  const webhook = webhooks.find((kept) => kept.id === decodeURIComponent(path[1] as string))
  if (!webhook) return NOT_FOUND
  if (request.method === 'DELETE') {
    webhooks.splice(webhooks.indexOf(webhook), 1)
    return { status: 204 }
  }
  if (request.method !== 'PATCH') return NOT_ALLOWED
  const problems = problemsOf(JSON.parse(body))
  if (problems) return invalid(422, problems)
  Object.assign(webhook, JSON.parse(body))
  return options.silentUpdates ? { status: 200 } : { status: 200, body: shown(webhook) }
}

function create(given: Partial<KeptWebhook>, webhooks: KeptWebhook[]): StandInResponse {
  const missing = (['url', 'events', 'secret'] as const).filter((name) => given[name] === undefined)
  if (missing.length > 0) {
    return invalid(400, Object.fromEntries(missing.map((name) => [name, ['This field is required.']])))
  }
  const problems = problemsOf(given)
  if (problems) return invalid(400, problems)
  const webhook: KeptWebhook = {
    id: `wh-${String(webhooks.length + 1).padStart(3, '0')}`,
    active: true,
    created_at: '2025-01-29T12:00:00Z',
    last_triggered: null,
    success_count: 0,
    failure_count: 0,
    ...(given as Pick<KeptWebhook, 'url' | 'events' | 'secret'>),
  }
  webhooks.push(webhook)
  const { id, url, events, active, created_at } = webhook
  return { status: 201, body: { id, url, events, active, created_at } }
}

function invalid(status: number, details: unknown): StandInResponse {
  return { status, body: { error: 'VALIDATION_ERROR', message: 'The request is not valid.', details } }
}

function problemsOf({ url, events }: Partial<KeptWebhook>): Record<string, string[]> | undefined {
  if (url !== undefined && !url.startsWith('https://')) return { url: ['Enter a valid HTTPS URL.'] }
  if (events !== undefined && events.length === 0) return { events: ['This list may not be empty.'] }
  return undefined
}

function shown({ secret: _secret, description: _description, ...rest }: KeptWebhook): object {
  return rest
}

function page(webhooks: readonly KeptWebhook[], number: number, { pageSize }: StandInOptions): StandInResponse {
  if (pageSize === undefined) return { status: 200, body: { count: webhooks.length, results: webhooks.map(shown) } }
  const results = webhooks.slice((number - 1) * pageSize, number * pageSize).map(shown)
  const next = webhooks.length > number * pageSize ? `/api/v1/webhooks/?page=${number + 1}` : null
  return { status: 200, body: { count: webhooks.length, next, previous: null, results } }
}

function write(response: ServerResponse, { status, body }: StandInResponse, wrapped = false): void {
  const data = wrapped && status < 400 ? { success: true, data: body } : body
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? undefined : JSON.stringify(data))
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
