/**
 * Shared by the adapters for `Request` and `Response`: turns a `Request` into a delivery, and the receiver's response into a `Response`.
 */
import type { WebhookResponse } from '../delivery/response.js'
import type { BodySource, Delivery } from '../types.js'

/** Turns a `Request` into a delivery. `fix` is the developer's next step if other code has read the body. */
export function toDelivery(request: Request, fix: string): Delivery {
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
