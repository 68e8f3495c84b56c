/**
 * Adapter for Cloudflare Workers, without `nodejs_compat`. In: a Worker's request, its `env` and its `ctx`. Out: a `Response`.
 * The lease is not renewed behind the answer: a Worker may be frozen there.
 */
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { isWebhookError } from '../errors.js'
import { toDelivery, toWebResponse } from './web-request.js'

/** What a Worker's `fetch` is given as its third argument, as far as it is used. */
export interface WorkerContext {
  /** Keeps the Worker alive for work that goes on behind the answer. */
  waitUntil(work: Promise<unknown>): void
}

/** A Worker's `fetch`. */
export type WorkerHandler<Env> = (request: Request, env: Env, ctx: WorkerContext) => Promise<Response>

/** What is used of a receiver. */
export type ReceiverLike = Pick<Receiver, 'receive'>

const FIX =
  'The request’s body was read before the webhook handler. Give it the untouched request, or request.clone() to whatever else reads it.'

/**
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `fetch`. The function is called once per `env`. Where it finds
 * no secret the answer is 500 and the log says the cure; anything else it throws is the Worker's own exception.
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
    const found = findReceiver(() => receiverFor(env))
    if (!found) return toWebResponse(request, toResponse({ status: 'refused', code: 'secret_missing' }))
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work)
    const received = found.receive({ ...toDelivery(request, FIX), waitUntil, freezesAfterResponse: true })
    // A sender that hangs up ends the request, and with it handlers half done: unless the platform was asked to wait for them.
    waitUntil(received)
    return toWebResponse(request, toResponse(await received))
  }
}

function findReceiver(find: () => ReceiverLike): ReceiverLike | undefined {
  try {
    return find()
  } catch (error) {
    if (!isWebhookError(error) || (error.code !== 'secret_missing' && error.code !== 'secret_blank')) throw error
    console.error(`[govalid-webhooks] ${error.code}: ${error.message}`)
    return undefined
  }
}

function oncePerEnv<Env extends object>(create: (env: Env) => ReceiverLike): (env: Env) => ReceiverLike {
  const made = new WeakMap<Env, ReceiverLike>()
  return function receiverFor(env) {
    const known = made.get(env)
    if (known) return known
    const fresh = create(env)
    made.set(env, fresh)
    return fresh
  }
}
