/**
 * Adapter for Cloudflare Workers, without `nodejs_compat`. In: a Worker's request, its `env` and its `ctx`. Out: a `Response`.
 * The lease isn't renewed after the response, because the platform may freeze the Worker then.
 */
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { isWebhookError } from '../errors.js'
import type { Outcome } from '../types.js'
import { receiverPerEnv } from './receiver-per-env.js'
import { requireReceiver } from './require-receiver.js'
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
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `fetch` handler. The function is called once per isolate, and
 * again if a value of `env` changes. If it throws, the response is 500 and the log names the fix; the next delivery calls it again.
 *
 * @throws WebhookError `option_invalid` if it is given neither a receiver nor a function.
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
  const receiverFor = typeof receiver === 'function' ? receiverPerEnv(receiver, 'receive', 'toHandler') : () => receiver
  if (typeof receiver !== 'function') requireReceiver(receiver, 'toHandler')
  return async function handleWorkerRequest(request, env, ctx) {
    const delivery = toDelivery(request, FIX)
    const found = createOrLog(() => receiverFor(env))
    if (!('receive' in found)) return toWebResponse(request, toResponse(found))
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work)
    const received = found.receive({ ...delivery, waitUntil, freezesAfterResponse: true })
    // If the sender hangs up, the platform ends the request and its running handlers, unless it was asked to wait.
    keepAlive(() => waitUntil(received))
    return toWebResponse(request, toResponse(await received))
  }
}

/** An error of the user's function is answered and logged, because the platform's exception page would hide its fix. */
function createOrLog(create: () => ReceiverLike): ReceiverLike | Outcome {
  try {
    return create()
  } catch (error) {
    if (!isWebhookError(error)) {
      console.error('[govalid-webhooks] The function given to toHandler threw. GoValid gets a 500 and retries.', error)
      return { status: 'failed', error }
    }
    console.error(`[govalid-webhooks] ${error.code}: ${error.message}`)
    const isSecret = error.code === 'secret_missing' || error.code === 'secret_blank'
    return isSecret ? { status: 'refused', code: 'secret_missing' } : { status: 'failed', error }
  }
}

/** A test may pass no context. The receiver guards its own calls. */
function keepAlive(waitUntil: () => void): void {
  try {
    waitUntil()
  } catch {
    // The delivery continues as long as the platform lets it.
  }
}
