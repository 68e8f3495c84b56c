/**
 * Adapter for Cloudflare Workers, without `nodejs_compat`. In: a Worker's request, its `env` and its `ctx`. Out: a `Response`.
 * The lease isn't renewed after the response, because the platform may freeze the Worker then.
 */
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { isWebhookError } from '../errors.js'
import { toDelivery, toWebResponse } from './web-request.js'

/** The part of a Worker's execution context that the adapter uses. */
export interface WorkerContext {
  /** Keeps the Worker alive until the promise settles, also after the response. */
  waitUntil(work: Promise<unknown>): void
}

/** A Worker's `fetch` handler. */
export type WorkerHandler<Env> = (request: Request, env: Env, ctx: WorkerContext) => Promise<Response>

/** The part of a receiver that the adapter uses. */
export type ReceiverLike = Pick<Receiver, 'receive'>

const FIX =
  'Pass the untouched request to the webhook handler. If other code reads the body first, give that code request.clone(). ' +
  'See docs/frameworks/cloudflare-workers.md.'

/**
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `fetch` handler. The function is called once per `env`. If `env`
 * has no secret, the response is 500 and the log names the fix. Any other error that the function throws becomes the Worker's exception.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/cloudflare'
 *
 * interface Env { GOVALID_WEBHOOK_SECRET: string }
 *
 * export default {
 *   fetch: toHandler((env: Env) => createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET })),
 * }
 * ```
 */
export function toHandler(receiver: ReceiverLike): WorkerHandler<unknown>
export function toHandler<Env extends object>(receiver: (env: Env) => ReceiverLike): WorkerHandler<Env>
export function toHandler<Env extends object>(
  receiver: ReceiverLike | ((env: Env) => ReceiverLike),
): WorkerHandler<Env> {
  const receiverFor = typeof receiver === 'function' ? oncePerEnv(receiver) : () => receiver
  return async function handleWorkerRequest(request, env, ctx) {
    const found = createOrLog(() => receiverFor(env))
    if (!found) return toWebResponse(request, toResponse({ status: 'refused', code: 'secret_missing' }))
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work)
    const received = found.receive({ ...toDelivery(request, FIX), waitUntil, freezesAfterResponse: true })
    // If the sender hangs up, the platform ends the request and its running handlers, unless it was asked to wait.
    waitUntil(received)
    return toWebResponse(request, toResponse(await received))
  }
}

function createOrLog(create: () => ReceiverLike): ReceiverLike | undefined {
  try {
    return create()
  } catch (error) {
    if (!isWebhookError(error) || (error.code !== 'secret_missing' && error.code !== 'secret_blank')) throw error
    console.error(`[govalid-webhooks] ${error.code}: ${error.message}`)
    return undefined
  }
}

function oncePerEnv<Env extends object>(create: (env: Env) => ReceiverLike): (env: Env) => ReceiverLike {
  const receivers = new WeakMap<Env, ReceiverLike>()
  return function receiverFor(env) {
    const known = receivers.get(env)
    if (known) return known
    const created = create(env)
    receivers.set(env, created)
    return created
  }
}
