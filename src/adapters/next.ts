/**
 * Adapter for Next.js route handlers (App Router, Next.js 15.1 and newer), in the Node and the edge runtime. In: the route's `Request`.
 * Out: a `Response`. Next's `after` keeps a serverless platform alive for work after the response. An unread body that was refused is read
 * for a moment before the response.
 */
import * as server from 'next/server.js'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import { requireReceiver } from './require-receiver.js'
import { toDelivery, toWebResponse } from './web-request.js'

/** A Next.js route handler. */
export type RouteHandler = (request: Request) => Promise<Response>

const FIX =
  'Export the webhook handler itself: export const POST = toHandler(receiver). If the route reads the body first, read a clone: ' +
  'await request.clone().json(). Handlers get the parsed event as their first argument. See docs/frameworks/nextjs.md.'

/**
 * Turns a receiver into a route handler. Export only `POST`: Next.js responds to every other method with 405 by itself.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver, or if Next.js is older than 15.1.
 *
 * @example
 * ```ts
 * // app/webhooks/govalid/route.ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/next'
 *
 * // A function, because `next build` loads this file and the secret may not exist yet.
 * const receiver = createReceiver({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })
 *
 * export const POST = toHandler(receiver)
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): RouteHandler {
  requireReceiver(receiver, 'toHandler')
  requireAfter()
  return async function handleRouteRequest(request) {
    const outcome = await receiver.receive({ ...toDelivery(request, FIX), waitUntil: keepAlive })
    const response = toResponse(outcome)
    if (response.closes && request.body && !request.body.locked) await readOn(request.body)
    return toWebResponse(request, response)
  }
}

/** Older versions have no `after`, and a serverless platform would freeze the work that follows the response. */
function requireAfter(): void {
  if (typeof server.after === 'function') return
  const message =
    'toHandler needs Next.js 15.1 or newer, which has `after`. Run: npm install next@latest. See docs/frameworks/nextjs.md.'
  throw new WebhookError('option_invalid', message)
}

const CHECK_MS = 20
const MAX_CHECKS = 50

/**
 * Reads and drops a body until it ends or the sender stops sending, for at most a second. Node resets a connection that it closes while the
 * sender still sends, and the sender loses a response that it hasn't read yet. Next.js offers no way to respond first.
 */
function readOn(body: ReadableStream<Uint8Array>): Promise<void> {
  return new Promise((resolve) => {
    const reader = body.getReader()
    let checks = 0
    let silentChecks = 0
    const end = () => {
      clearInterval(timer)
      reader.cancel().catch(() => {})
      resolve()
    }
    const timer = setInterval(() => {
      checks += 1
      silentChecks += 1
      // Two silent checks: bytes that came while the process was blocked are read only after the first check.
      if (silentChecks === 2 || checks === MAX_CHECKS) end()
    }, CHECK_MS)
    const read = async () => {
      while (!(await reader.read()).done) silentChecks = 0
    }
    read().then(end, end)
  })
}

function keepAlive(work: Promise<unknown>): void {
  try {
    server.after(work)
  } catch {
    // `after` throws outside a Next.js request and on platforms without waitUntil. The process keeps running there, and so does the work.
  }
}
