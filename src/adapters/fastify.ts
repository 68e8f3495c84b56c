/**
 * Adapter for Fastify 5 and 4. In: a Fastify request. Out: the answer, through Fastify's own reply, so that the app's hooks and log see it.
 * Raw parsing stays inside the plugin: other routes keep the parsers of the app.
 */
import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Receiver } from '../create-receiver.js'
import { toResponse, type WebhookResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import { leaveSoon, type NodeRequest, toDelivery } from './node-request.js'

/** What `app.register` is given beside the plugin. */
export interface WebhookPluginOptions {
  /** Where the webhook is served, for example `/webhooks/govalid`. A `prefix` is put before it, as in every Fastify plugin. */
  readonly path: string
}

const UNREAD = 'application/octet-stream'
const FIX =
  'A preParsing hook or another plugin read the stream before the webhook route. Register the plugin where no such hook applies, ' +
  'or have the hook keep the bytes: request.rawBody = bytes (fastify-raw-body: encoding: false).'

/**
 * Turns a receiver into a Fastify plugin.
 *
 * @throws WebhookError `option_invalid`, from `app.register`, when there is no `path`.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import { createReceiver } from 'govalid-webhooks'
 * import { toPlugin } from 'govalid-webhooks/fastify'
 *
 * const app = Fastify()
 * const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 * app.register(toPlugin(receiver), { path: '/webhooks/govalid' })
 * await app.listen({ port: 3000 })
 * ```
 */
export function toPlugin(receiver: Pick<Receiver, 'receive'>): FastifyPluginAsync<WebhookPluginOptions> {
  return async function govalidWebhooks(app, options) {
    const path = readPath(options)
    app.removeAllContentTypeParsers()
    // By its name too: the parser of a name is kept, that of any other type is looked for each time. Any other it is where a hook of the
    // app has asked for `request.mediaType`, which Fastify then keeps.
    for (const type of [UNREAD, '*']) {
      app.addContentTypeParser(type, function leaveUnread(_request, _stream, done) {
        done(null)
      })
    }
    app.addHook('onRequest', function neutraliseContentType(request, _reply, done) {
      // Fastify answers a malformed content type with 415 before any parser; the request's own headers stay as they came.
      request.headers = { 'content-type': UNREAD }
      done()
    })
    app.post(path, async function handleFastifyRequest(request, reply) {
      const outcome = await receiver.receive(toDelivery(rawRequest(request), FIX))
      return sendResponse(request, reply, toResponse(outcome))
    })
  }
}

function readPath(options: Partial<WebhookPluginOptions> | undefined): string {
  const path: unknown = options?.path
  if (typeof path === 'string' && path.startsWith('/')) return path
  const came = typeof path === 'string' ? JSON.stringify(path) : typeof path
  throw new WebhookError(
    'option_invalid',
    `path must be a text that begins with "/"; it is ${came}. For example app.register(toPlugin(receiver), { path: '/webhooks/govalid' }).`,
  )
}

/** Node's request, with the bytes that a hook kept on Fastify's. */
function rawRequest({ raw, rawBody }: FastifyRequest & { readonly rawBody?: unknown }): NodeRequest {
  return rawBody instanceof Uint8Array ? Object.assign(raw, { rawBody }) : raw
}

function sendResponse(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body, closes }: WebhookResponse,
): FastifyReply {
  reply.code(status).headers(headers)
  if (closes) return reply.send(lingering(raw, body))
  // A text leaves together with its headers, bytes after them. Without a serializer Fastify would add a charset to its content type.
  return reply.serializer(asItIs).send(body)
}

/** The body at once, and its end only when the request is over or has had its time. */
function lingering(request: NodeRequest, body: string): Readable {
  const stream = new Readable({ read() {} })
  stream.push(body)
  leaveSoon(request, () => stream.push(null))
  return stream
}

function asItIs(body: unknown): string {
  return body as string
}
