/**
 * Shared by the adapters for `Request` and `Response`: turns a `Request` into a delivery, and the receiver's response into a `Response`.
 */
import type { WebhookResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import type { BodySource, Delivery } from '../types.js'

/**
 * Turns a `Request` into a delivery. `fix` is the developer's next step if other code has read the body.
 *
 * @throws WebhookError `option_invalid` if it isn't a `Request`, with the place of the `Request` if there is one.
 */
export function toDelivery(request: Request, fix: string): Delivery {
  requireRequest(request)
  const { headers } = request
  return {
    method: request.method,
    header: (name) => headers.get(name) ?? undefined,
    headers: () => flatten(headers),
    body: findBody(request, fix),
  }
}

/** Turns the receiver's response into a `Response`. */
export function toWebResponse(request: Request, response: WebhookResponse): Response {
  return new Response(request.method === 'HEAD' ? null : response.body, {
    status: response.status,
    headers: response.headers,
  })
}

const USE_NODE = 'govalid-webhooks/node with Node’s request and response'

/** What developers pass instead of the `Request`: where it has the `Request` or Node's request, what it is, and what to pass. */
const MISPLACED: readonly (readonly [path: string, what: string, fix: string])[] = [
  ['raw', 'Hono’s c.req', 'Pass c.req.raw'],
  ['req.raw', 'Hono’s context', 'Pass c.req.raw'],
  ['request', 'an event that holds the Request (SvelteKit, Astro, React Router)', 'Pass event.request'],
  ['web.request', 'an h3 event', 'Pass toWebRequest(event)'],
  ['node.req', 'an h3 event', 'Pass toWebRequest(event)'],
  [
    'req',
    'an event that holds the Request (h3) or Node’s request (Koa)',
    `In h3, pass event.req. In Koa, use ${USE_NODE}`,
  ],
  ['', 'Node’s request (Express, NestJS)', `Use ${USE_NODE}`],
]

function requireRequest(value: unknown): void {
  if (isRequest(value)) return
  const [given, fix] = describe(value)
  const message = `The webhook handler must be given a Request, and was given ${given}. ${fix}.`
  throw new WebhookError('option_invalid', message)
}

function describe(value: unknown): readonly [given: string, fix: string] {
  for (const [path, what, fix] of MISPLACED) {
    const held = path.split('.').reduce((holder, name) => (name === '' ? holder : readProperty(holder, name)), value)
    if (isRequest(held) || typeof readProperty(readProperty(held, 'headers'), 'host') === 'string') return [what, fix]
  }
  const given = value === null ? 'null' : typeof value
  // Next.js wraps the request of such a route in a Proxy that hides its data.
  if (typeof readProperty(readProperty(value, 'headers'), 'get') === 'function')
    return [
      given,
      "Its method can't be read. In Next.js, remove `export const dynamic = 'force-static'` from the route",
    ]
  if (readProperty(value, 'requestContext')) return ['a Lambda event', 'Use govalid-webhooks/aws-lambda']
  return [given, 'Pass the Request itself, never its body']
}

/** Recognizes the `Request` of any realm or framework by the properties that the adapters use. */
function isRequest(value: unknown): boolean {
  const get = readProperty(readProperty(value, 'headers'), 'get')
  return typeof get === 'function' && typeof readProperty(value, 'method') === 'string'
}

/** Never throws: a framework's getter may. */
function readProperty(value: unknown, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

function findBody(request: Request, fix: string): BodySource {
  if (request.bodyUsed) return { alreadyParsed: fix }
  const { body } = request
  return body === null ? null : body.locked ? { alreadyParsed: fix } : body
}

function flatten(headers: Headers): Readonly<Record<string, string>> {
  const flat: Record<string, string> = Object.create(null)
  headers.forEach((value, name) => {
    flat[name] = value
  })
  return flat
}
