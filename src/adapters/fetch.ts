/**
 * Adapter for everything that speaks `Request` and `Response`: Hono, Bun, Deno, SvelteKit, h3. In: a `Request`. Out: a `Response`.
 */
import type { Receiver } from '../create-receiver.js'
import { type Answer, toAnswer } from '../delivery/response.js'
import type { BodySource, Delivery } from '../types.js'

/** What a platform may offer beside the request. */
export interface FetchContext {
  /** Keeps the platform alive for work that goes on behind the answer. */
  waitUntil?(work: Promise<unknown>): void
}

/** Handles one `Request`. */
export type FetchHandler = (request: Request, context?: FetchContext) => Promise<Response>

const FIX =
  'Something read the body before the webhook handler: give toHandler(receiver) the untouched Request, or a clone made before anything read it.'

/**
 * Turns a receiver into a function from `Request` to `Response`.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/fetch'
 *
 * const handle = toHandler(createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET }))
 * export default { fetch: (request: Request) => handle(request) }
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): FetchHandler {
  return async function handleFetchRequest(request, context) {
    const waitUntil = context?.waitUntil?.bind(context)
    const outcome = await receiver.receive({ ...toDelivery(request, FIX), ...(waitUntil && { waitUntil }) })
    return toResponse(request, toAnswer(outcome))
  }
}

/** Makes a delivery of a `Request`; `fix` says what to change where something has read the body. */
export function toDelivery(request: Request, fix: string): Delivery {
  const { headers } = request
  return {
    method: request.method,
    header: (name) => headers.get(name) ?? undefined,
    headers: () => flatten(headers),
    body: findBody(request, fix),
  }
}

/** Makes a `Response` of an answer. */
export function toResponse(request: Request, answer: Answer): Response {
  return new Response(request.method === 'HEAD' ? null : answer.body, { status: answer.status, headers: answer.headers })
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
