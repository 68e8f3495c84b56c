/**
 * Adapter for every framework that uses `Request` and `Response`: Hono, Bun, Deno, SvelteKit, h3. In: a `Request`. Out: a `Response`.
 */
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { toDelivery, toWebResponse } from './web-request.js'

/** The platform's context of a request. */
export interface FetchContext {
  /** Keeps the platform alive until the promise settles, also after the response. */
  waitUntil?(work: Promise<unknown>): void
}

/** Handles one `Request`. */
export type FetchHandler = (request: Request, context?: FetchContext) => Promise<Response>

const FIX =
  'Pass the untouched Request to the webhook handler. If other code reads the body first, give that code request.clone(). ' +
  'See docs/frameworks/fetch.md.'

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
    const delivery = toDelivery(request, FIX)
    const outcome = await receiver.receive(waitUntil ? { ...delivery, waitUntil } : delivery)
    return toWebResponse(request, toResponse(outcome))
  }
}
