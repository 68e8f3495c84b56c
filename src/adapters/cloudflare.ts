/**
 * Adapter for Cloudflare Workers, without `nodejs_compat`. In: a Worker's request, its `env` and its `ctx`. Out: a `Response`.
 * The lease is not renewed behind the answer: a Worker may be frozen there.
 */
import type { Receiver } from '../create-receiver.js'
import { toAnswer } from '../delivery/response.js'
import { toDelivery, toResponse } from './web-request.js'

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
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `fetch`. The function is called once per `env`.
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
export function toHandler<Env extends object = object>(
  receiver: ReceiverLike | ((env: Env) => ReceiverLike),
): WorkerHandler<Env> {
  const made = new WeakMap<Env, ReceiverLike>()
  const receiverFor = (env: Env): ReceiverLike => {
    if (typeof receiver !== 'function') return receiver
    const known = made.get(env)
    if (known) return known
    const fresh = receiver(env)
    made.set(env, fresh)
    return fresh
  }
  return async function handleWorkerRequest(request, env, ctx) {
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work)
    const delivery = { ...toDelivery(request, FIX), waitUntil, endsWithAnswer: true }
    const outcome = await receiverFor(env).receive(delivery)
    return toResponse(request, toAnswer(outcome))
  }
}
