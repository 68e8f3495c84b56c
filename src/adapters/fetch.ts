/**
 * Adapter for every framework that uses `Request` and `Response`: Hono, Bun, Deno, SvelteKit, h3. In: a `Request`. Out: a `Response`.
 */
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import type { Delivery } from '../types.js'
import { refuseMisplaced } from './misplaced-request.js'
import { requireReceiver } from './require-receiver.js'
import { type FetchRequest, toDelivery, toWebResponse } from './web-request.js'

/** The platform's context of a request, or a framework's context that holds it, such as Hono's `c`. */
export interface FetchContext {
  /** Keeps the platform alive until the promise settles, also after the response. */
  waitUntil?(work: Promise<unknown>): void
  /** Hono's name for the platform's context. It may throw, as Hono's does on platforms without such a context. */
  readonly executionCtx?: Pick<FetchContext, 'waitUntil'> | undefined
}

export type { FetchRequest }

/** Handles one `Request`. */
export type FetchHandler = (request: FetchRequest, context?: FetchContext) => Promise<Response>

const FIX =
  'Pass the untouched Request to the webhook handler. If other code reads the body first, give that code request.clone().'

/**
 * Turns a receiver into a function from `Request` to `Response`.
 *
 * The function rejects with `option_invalid` if it isn't given a `Request`.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver.
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
  requireReceiver(receiver, 'toHandler')
  return async function handleFetchRequest(request, context) {
    refuseMisplaced(request)
    const waitUntil = findWaitUntil(context)
    const delivery = toDelivery(request, FIX)
    const outcome = await receiver.receive(waitUntil ? { ...delivery, waitUntil } : delivery)
    return toWebResponse(request, toResponse(outcome))
  }
}

function findWaitUntil(context: FetchContext | undefined): Delivery['waitUntil'] {
  try {
    const platform = context?.executionCtx ?? context
    return platform?.waitUntil?.bind(platform)
  } catch {
    // Hono's getter throws on servers. They stay alive after the response anyway.
    return undefined
  }
}
