/**
 * Shared by the adapters for `Request` and `Response`: turns a `Request` into a delivery, and the receiver's response into a `Response`.
 */
import type { WebhookResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import type { BodySource, Delivery } from '../types.js'

/** The parts of a `Request` that the adapters read. Other objects have them too, such as the `HttpRequest` of Azure Functions. */
export interface FetchRequest extends Pick<Request, 'method' | 'headers' | 'bodyUsed'> {
  /** The body's stream. The types of Node and of browsers differ in it. */
  readonly body: ((ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>) & { readonly locked: boolean }) | null
}

/**
 * Turns a `Request` into a delivery. `fix` is the developer's next step if other code has read the body.
 *
 * @throws WebhookError `option_invalid` if it isn't a `Request`.
 */
export function toDelivery(request: FetchRequest, fix: string): Delivery {
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
export function toWebResponse(request: Pick<Request, 'method'>, response: WebhookResponse): Response {
  return new Response(request.method === 'HEAD' ? null : response.body, {
    status: response.status,
    headers: response.headers,
  })
}

function requireRequest(value: unknown): void {
  if (isRequest(value)) return
  const given = value === null ? 'null' : typeof value
  // Next.js wraps the request of such a route in a Proxy that hides its data.
  const fix =
    typeof readProperty(readProperty(value, 'headers'), 'get') === 'function'
      ? "Its method can't be read. In Next.js, remove `export const dynamic = 'force-static'` from the route."
      : 'Pass the Request itself, never its body.'
  throw new WebhookError(
    'option_invalid',
    `The webhook handler must be given a Request, and was given ${given}. ${fix}`,
  )
}

/** Recognizes the `Request` of any realm or framework by the properties that the adapters use. */
export function isRequest(value: unknown): boolean {
  const get = readProperty(readProperty(value, 'headers'), 'get')
  return typeof get === 'function' && typeof readProperty(value, 'method') === 'string'
}

/** Never throws: a framework's getter may. */
export function readProperty(value: unknown, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

function findBody(request: FetchRequest, fix: string): BodySource {
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
