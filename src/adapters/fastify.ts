/**
 * Adapter for Fastify 5 and 4. In: a Fastify request. Out: the response, through Fastify's reply, so the app's hooks and log see it.
 * The plugin turns off body parsing for its own route only. Other routes keep the app's parsers.
 */
import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Receiver } from '../create-receiver.js'
import { isBytes } from '../crypto/encoding.js'
import { toResponse, type WebhookResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import { leaveSoon, type NodeRequest, toDelivery } from './node-request.js'
import { requireReceiver } from './require-receiver.js'

/** The options that `app.register` takes with the plugin. */
export interface WebhookPluginOptions {
  /** The webhook's path, for example `/webhooks/govalid`. A `prefix` is put in front of it, as in every Fastify plugin. */
  readonly path: string
}

const UNREAD = 'application/octet-stream'
const FIX =
  'Find the preParsing hook that reads the body, and register it only in the plugin whose routes need it. ' +
  'Or keep the raw bytes in that hook as a Buffer: request.rawBody = bytes. See docs/frameworks/fastify.md.'

/**
 * Turns a receiver into a Fastify plugin.
 *
 * @throws WebhookError `option_invalid` if it isn't given a receiver. When the plugin starts: if `path` isn't a string that begins with
 * `/`, or Fastify is older than 4.
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
  requireReceiver(receiver, 'toPlugin')
  return async function govalidWebhooks(app, options) {
    refuseOldVersion(app.version)
    const path = readPath(options)
    app.removeAllContentTypeParsers()
    // Fastify looks up the parser of a named type directly, but searches for the `*` parser on every request. The `*` parser is needed too:
    // once a hook has read `request.mediaType`, Fastify 5 keeps the original type.
    for (const type of [UNREAD, '*']) {
      app.addContentTypeParser(type, function leaveUnread(_request, _stream, done) {
        done(null)
      })
    }
    app.addHook('onRequest', function replaceContentType(request, _reply, done) {
      // Fastify responds to a malformed content type with 415 before any parser runs. Node's request keeps the original headers.
      request.headers = { 'content-type': UNREAD }
      done()
    })
    app.post(path, async function handleFastifyRequest(request, reply) {
      const outcome = await receiver.receive(toDelivery(rawRequest(request), FIX))
      return sendResponse(request, reply, toResponse(outcome))
    })
  }
}

/** Version 3 would respond to every delivery with 500, and version 2 has no `version`. */
function refuseOldVersion(version: string | undefined): void {
  if (Number.parseInt(version ?? '', 10) >= 4) return
  throw new WebhookError(
    'option_invalid',
    `app comes from an old version of Fastify; version 4 or newer is needed. Run: npm install fastify@latest. See docs/frameworks/fastify.md.`,
  )
}

function readPath(options: Partial<WebhookPluginOptions> | undefined): string {
  const path: unknown = options?.path
  if (typeof path === 'string' && path.startsWith('/')) return path
  const received = typeof path === 'string' ? JSON.stringify(path) : typeof path
  throw new WebhookError(
    'option_invalid',
    `path must be a string that begins with "/"; it is ${received}. For example: ` +
      "app.register(toPlugin(receiver), { path: '/webhooks/govalid' }). See docs/frameworks/fastify.md.",
  )
}

/** Returns Node's request, with the bytes that a hook kept on Fastify's request. */
function rawRequest({ raw, rawBody }: FastifyRequest & { readonly rawBody?: unknown }): NodeRequest {
  return isBytes(rawBody) ? Object.assign(raw, { rawBody }) : raw
}

function sendResponse(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body, closes }: WebhookResponse,
): FastifyReply {
  reply.code(status).headers(headers)
  if (closes) return reply.send(toLingeringStream(raw, body))
  // A string goes out in one write with its headers; a Buffer doesn't. The serializer keeps Fastify from adding a charset.
  return reply.serializer(unchanged).send(body)
}

/** Streams the body immediately, but ends only after the request has ended or lingered long enough. */
function toLingeringStream(request: NodeRequest, body: string): Readable {
  const stream = new Readable({ read() {} })
  stream.push(body)
  leaveSoon(request, () => stream.push(null))
  return stream
}

function unchanged(body: unknown): string {
  return body as string
}
