/**
 * Shared by the adapters on `node:http`: makes a delivery of Node's request and writes the answer to its response. Reads the socket's
 * stream itself; a body parser that was there first is told apart from one that only looked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebhookResponse } from '../delivery/response.js'
import type { BodySource, BodyStream, Delivery } from '../types.js'

/** A Node request as body parsers leave it. */
export type NodeRequest = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

/** Makes a delivery of a Node request; `fix` says what to change where something has parsed the body. */
export function toDelivery(request: NodeRequest, fix: string): Delivery {
  const { headers } = request
  return {
    method: request.method ?? '',
    header: (name) => headers[name],
    headers: () => flatten(headers),
    body: findBody(request, fix),
  }
}

/** Writes an answer. */
export function writeResponse(request: IncomingMessage, response: ServerResponse, answer: WebhookResponse): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(answer.status, answer.headers)
  endResponse(request, response, answer)
}

/** Writes the body of an answer whose head is written, and lets go of a request that will not be read to its end. */
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

function findBody(request: NodeRequest, fix: string): BodySource {
  const { rawBody, body } = request
  if (rawBody instanceof Uint8Array) return rawBody
  if (body instanceof Uint8Array) return body
  // A parser that found nothing to do leaves a `body` but not a read stream: the stream tells, not the property.
  return request.readableDidRead || request.readableEnded ? { alreadyParsed: fix } : streamOf(request)
}

// A text: every request is closed at its end, and an error would build a stack each time.
const CLOSED = 'the request was closed'

function streamOf(request: IncomingMessage): BodyStream {
  return {
    read(consumer) {
      // With its last byte a body is complete; Node tells its end a turn later, for which a timer would have to be set.
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
        request.off('data', onData).off('end', onEnd).off('close', onClose)
        request.pause()
      }
    },
  }
}

const LINGER_MS = 500

/**
 * Reads on for a moment and then calls `end`, which ends the answer: what is closed with bytes unread is reset, and an answer that the
 * sender has not read yet is lost with it.
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
  request.once('end', leave).once('close', leave).resume()
}

function flatten(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const flat: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}
