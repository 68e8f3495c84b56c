/**
 * Adapter for plain `node:http`, and for frameworks that pass on Node's request and response, such as NestJS and Next.js API routes.
 * In: an `IncomingMessage`. Out: the response, written to the `ServerResponse`. It needs no body parser.
 */
import type { ServerResponse } from 'node:http'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { type NodeRequest, toDelivery, writeResponse } from './node-request.js'
import { requireReceiver } from './require-receiver.js'

export type { NodeRequest } from './node-request.js'

/** A request handler for Node's `http` server. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse) => Promise<void>

const FIX =
  'Mount the webhook handler before any body parser, or keep the raw bytes in request.rawBody as a Buffer. ' +
  'In a Next.js API route, add: export const config = { api: { bodyParser: false } }. ' +
  'In NestJS, use NestFactory.create(AppModule, { rawBody: true }). See docs/frameworks/node.md.'

/**
 * Turns a receiver into a handler for `node:http`.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver.
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
  requireReceiver(receiver, 'toHandler')
  return async function handleNodeRequest(request, response) {
    const outcome = await receiver.receive(toDelivery(request, FIX))
    writeResponse(request, response, toResponse(outcome))
  }
}
