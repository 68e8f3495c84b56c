/**
 * Shared by the adapters on `node:http`: turns Node's request into a delivery and writes the response. It reads the request's stream itself,
 * and notices if a body parser has read it before.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isBytes } from '../crypto/encoding.js'
import type { WebhookResponse } from '../delivery/response.js'
import { WebhookError } from '../errors.js'
import type { BodySource, BodyStream, Delivery } from '../types.js'

/** A Node request, with the fields that body parsers add. */
export type NodeRequest = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

/**
 * Turns a Node request into a delivery. `fix` is the developer's next step if other code has parsed the body.
 *
 * @throws WebhookError `option_invalid` if it isn't Node's request, with the fix.
 */
export function toDelivery(request: NodeRequest, fix: string): Delivery {
  if (typeof request?.on !== 'function') throw misplaced(request)
  const { headers } = request
  return {
    method: request.method ?? '',
    header: (name) => headers[name],
    headers: () => flatten(headers),
    body: findBody(request, fix),
  }
}

/** Writes the receiver's response to Node's response. */
export function writeResponse(request: IncomingMessage, response: ServerResponse, content: WebhookResponse): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(content.status, content.headers)
  endResponse(request, response, content)
}

/** Writes the body after the head was written. If `closes`, the rest of the request is read only briefly, and the connection ends. */
export function endResponse(
  request: IncomingMessage,
  response: ServerResponse,
  { body, closes }: { readonly body: string | Uint8Array; readonly closes: boolean },
): void {
  if (!closes) {
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  response.write(body)
  leaveSoon(request, () => response.end())
}

/** Names what was passed instead of Node's request: Koa's context, Fastify's request, an h3 event, a `Request`. */
function misplaced(value: unknown): WebhookError {
  const holder = (value ?? {}) as Readonly<Record<'req' | 'raw' | 'node' | 'headers', NodeRequest | undefined>>
  const hasGet = typeof (holder.headers as { readonly get?: unknown } | undefined)?.get === 'function'
  const [given, fix] = holder.req
    ? ['a context that holds it in req', 'In Koa, pass context.req and context.res, and set context.respond = false']
    : holder.raw
      ? ['Fastify’s request', 'Use govalid-webhooks/fastify, or pass request.raw and reply.raw']
      : holder.node
        ? ['an h3 event', 'Pass event.node.req and event.node.res']
        : hasGet
          ? ['a Request', 'Use govalid-webhooks/fetch']
          : [value === null ? 'null' : typeof value, 'Pass the request itself, never its body']
  const message = `The webhook handler must be given Node’s request, and was given ${given}. ${fix}. See docs/frameworks/node.md.`
  return new WebhookError('option_invalid', message)
}

function findBody(request: NodeRequest, fix: string): BodySource {
  const rawBody = readField(request, 'rawBody')
  const body = readField(request, 'body')
  if (isBytes(rawBody)) return rawBody
  if (isBytes(body)) return body
  // A parser that had nothing to parse sets `body` but leaves the stream unread, so only the stream's state is reliable.
  const wasRead = request.readableDidRead || request.readableEnded
  // Serverless platforms read the body and replay it through their own methods.
  const isReplayed = Object.hasOwn(request, 'read')
  return wasRead && !isReplayed ? { alreadyParsed: `${describeReader(rawBody, body)} ${fix}` } : streamOf(request)
}

/** Vercel's `request.body` is a getter that throws on invalid JSON. */
function readField(request: NodeRequest, name: 'body' | 'rawBody'): unknown {
  try {
    return request[name]
  } catch {
    return undefined
  }
}

function describeReader(rawBody: unknown, body: unknown): string {
  if (typeof rawBody === 'string')
    return 'request.rawBody is a string: keep the Buffer, because decoding may change the bytes.'
  if (typeof body === 'string') return 'request.body is a string: a text parser has decoded the bytes.'
  if (body !== undefined && body !== null) return 'request.body is a parsed value.'
  return 'The request stream was read, for example by a "data" listener for logging or tracing.'
}

// A string, because every request closes at its end and an Error would build a stack each time.
const CLOSED = 'the request was closed'

function streamOf(request: IncomingMessage): BodyStream {
  return {
    read(consumer) {
      // A body is complete with its last byte. Node's `end` event comes an event-loop turn later, and waiting for it would need a timer.
      const length = Number(request.headers['content-length'])
      let received = 0
      const onData = (chunk: Uint8Array) => {
        consumer.chunk(chunk)
        received += chunk.length
        if (received === length) consumer.end()
      }
      const onEnd = () => consumer.end()
      const onError = (error: unknown) => consumer.fail(error)
      const onClose = () => consumer.fail(CLOSED)
      request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
      return () => {
        // A mocked request may lack these methods, and an error in a timer would end the process.
        request.off?.('data', onData).off('end', onEnd).off('close', onClose)
        request.pause?.()
      }
    },
  }
}

const LINGER_MS = 500

/**
 * Reads the rest of the request for a moment and then calls `end`, which ends the response. A connection that is closed with unread bytes is
 * reset, and the sender loses a response that it hasn't read yet.
 */
export function leaveSoon(request: IncomingMessage, end: () => void): void {
  if (request.readableEnded || request.destroyed) {
    end()
    return
  }
  const leave = () => {
    clearTimeout(timer)
    request.off('end', leave).off('close', leave)
    end()
  }
  const timer = setTimeout(leave, LINGER_MS)
  timer.unref()
  request.once('end', leave).once('close', leave)
  // A mocked request may lack this method.
  request.resume?.()
}

function flatten(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const flat: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}
