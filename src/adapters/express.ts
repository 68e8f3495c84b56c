/**
 * Adapter for Express 5 and 4. In: an Express request. Out: the answer. Mount it before `express.json()`; mounted behind it, it says so.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { toDelivery, writeResponse } from './node-request.js'

/** An Express request handler; typed without Express, so that it fits version 5 and version 4. */
export type ExpressHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const FIX =
  'express.json() or another body parser ran before the webhook route. Move app.post(path, toHandler(receiver)) above app.use(express.json()), ' +
  'or keep the bytes: express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } }).'

/**
 * Turns a receiver into an Express request handler.
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/express'
 *
 * const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 * express().post('/webhooks/govalid', toHandler(receiver)).listen(3000)
 * ```
 */
export function toHandler(receiver: Pick<Receiver, 'receive'>): ExpressHandler {
  return async function handleExpressRequest(request, response) {
    const outcome = await receiver.receive(toDelivery(request, FIX))
    writeResponse(request, response, toResponse(outcome))
  }
}
