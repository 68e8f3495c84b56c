/**
 * Adapter for Next.js route handlers (App Router, Next.js 15.1 and newer), in the Node and the edge runtime. In: the route's `Request`.
 * Out: a `Response`. Work behind the answer is given to Next's `after`, so that a serverless platform lets it finish. A body that was
 * refused unread is read for a moment before the answer.
 */
import { after } from 'next/server.js'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { toDelivery, toWebResponse } from './web-request.js'

/** A route handler of Next.js. */
export type RouteHandler = (request: Request) => Promise<Response>

const FIX =
  'The route read the body before the webhook handler did. Export the handler itself: export const POST = toHandler(receiver); ' +
  'or read a clone: await request.clone().json(). In a handler the parsed event is its first argument.'

/**
 * Turns a receiver into a route handler. Export it as `POST` alone: Next.js answers every other method with 405 itself.
 *
 * @example
 * ```ts
 * // app/webhooks/govalid/route.ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/next'
 *
 * // A function: `next build` loads this file, and the secret need not be there yet.
 * const receiver = createReceiver({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })
 *
 * export const POST = toHandler(receiver)
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): RouteHandler {
  return async function handleRouteRequest(request) {
    const outcome = await receiver.receive({ ...toDelivery(request, FIX), waitUntil: keepAlive })
    const response = toResponse(outcome)
    if (response.closes && request.body && !request.body.locked) await readOn(request.body)
    return toWebResponse(request, response)
  }
}

const LOOK_MS = 20
const MAX_LOOKS = 50

/**
 * Reads and drops a body until it ends or its sender falls silent, for a second at most. Node resets a connection that it closes while
 * its peer still sends, and an answer that the sender has not read yet is lost with it; Next.js leaves no way to answer first.
 */
function readOn(body: ReadableStream<Uint8Array>): Promise<void> {
  return new Promise((resolve) => {
    const reader = body.getReader()
    let looks = 0
    let silentLooks = 0
    const end = () => {
      clearInterval(timer)
      reader.cancel().catch(() => {})
      resolve()
    }
    const timer = setInterval(() => {
      looks += 1
      silentLooks += 1
      // Twice: what came while the process had no turn is read after the first look that it gets.
      if (silentLooks === 2 || looks === MAX_LOOKS) end()
    }, LOOK_MS)
    const read = async () => {
      while (!(await reader.read()).done) silentLooks = 0
    }
    read().then(end, end)
  })
}

function keepAlive(work: Promise<unknown>): void {
  try {
    after(work)
  } catch {
    // Outside a request of Next.js, or where the platform has no waitUntil: the process lives on, and the work with it.
  }
}
