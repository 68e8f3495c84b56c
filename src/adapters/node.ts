/**
 * Adapter for plain `node:http`: for Express, NestJS, Next's pages router and whatever else hands out Node's request and response.
 * In: an `IncomingMessage`. Out: the answer, written. No body parser is needed.
 */
import type { ServerResponse } from 'node:http'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { type NodeRequest, toDelivery, writeResponse } from './node-request.js'

export type { NodeRequest } from './node-request.js'

/** Handles one request of Node's own server. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse) => Promise<void>

const FIX =
  'Something read the body before the webhook handler. Mount the handler before any body parser, or keep the bytes in request.rawBody. ' +
  'In the pages router of Next.js: export const config = { api: { bodyParser: false } }.'

/**
 * Turns a receiver into a handler for `node:http`.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/node'
 *
 * const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 * createServer(toHandler(receiver)).listen(3000)
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): NodeHandler {
  return async function handleNodeRequest(request, response) {
    const outcome = await receiver.receive(toDelivery(request, FIX))
    writeResponse(request, response, toResponse(outcome))
  }
}
