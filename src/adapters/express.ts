/**
 * Adapter for Express 5 and 4. In: an Express request. Out: the response, written to Express's response object.
 * Mount it before `express.json()`. If it is mounted after it, the log names the fix.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Receiver } from '../create-receiver.js'
import { toResponse } from '../delivery/response.js'
import { toDelivery, writeResponse } from './node-request.js'
import { requireReceiver } from './require-receiver.js'

/** An Express request handler. Its type doesn't import Express, so it fits version 5 and version 4. */
export type ExpressHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const FIX =
  'Move app.post(path, toHandler(receiver)) above app.use(express.json()) and every other body parser. ' +
  'Or keep the raw bytes: express.json({ verify: (req, _res, bytes) => { Object.assign(req, { rawBody: bytes }) } }). ' +
  "With express.raw, pass { type: '*/*', limit: '1mb' }: its default limit is 100 kB. See docs/frameworks/express.md."

/**
 * Turns a receiver into an Express request handler.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver.
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
  requireReceiver(receiver, 'toHandler')
  return async function handleExpressRequest(request, response) {
    const outcome = await receiver.receive(toDelivery(request, FIX))
    writeResponse(request, response, toResponse(outcome))
  }
}
