// A raw TCP client: sends any bytes as a request, well-formed or not, and reads one response.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RequestSpec } from './case.js'

/** The response on a connection. */
export interface Reply {
  /** `closed` if the connection ended before the response was complete. */
  readonly status: number | 'closed'
  /** Names in lower case. Repeated headers are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The time from the first byte sent to the complete response. */
  readonly tookMs: number
}

/** A connection, for requests that are written in parts. */
export interface Line {
  readonly socket: Socket
  write(bytes: Uint8Array | string): Promise<void>
  /** The response. Its status is `closed` if the connection ends first. */
  readonly reply: Promise<Reply>
  /** Resolves on the first `100 Continue`. */
  readonly continued: Promise<void>
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  /** Ends the connection with a reset. */
  reset(): void
  end(): void
}

/** Opens a connection. A response to HEAD has no body, even if its headers declare one. */
export async function openLine(port: number, options: { readonly head?: boolean } = {}): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  // A reset by the server is a result, not an error of the test.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await Promise.race([once(socket, 'connect'), closed])
  const startedAt = performance.now()
  const continued = new Promise<void>((resolve) => {
    socket.once('data', (chunk) => (/^HTTP\/1\.1 100 /.test(chunk.toString('latin1')) ? resolve() : undefined))
  })
  const reply = new Promise<Reply>((resolve) => {
    let received = Buffer.alloc(0)
    const settle = (ended: boolean) => {
      const reply = parse(received, performance.now() - startedAt, ended, options.head ?? false)
      if (reply) resolve(reply)
    }
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      settle(false)
    })
    socket.once('close', () => settle(true))
  })
  return {
    socket,
    reply,
    continued,
    closed,
    write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    reset: () => void socket.resetAndDestroy(),
    end: () => void socket.destroy(),
  }
}

/** Sends bytes on a new connection and reads the response. */
export async function exchange(
  port: number,
  bytes: Uint8Array,
  options: { readonly head?: boolean } = {},
): Promise<Reply> {
  const line = await openLine(port, options)
  void line.write(bytes)
  const reply = await line.reply
  line.end()
  return reply
}

/** Returns the bytes of a request. */
export function toBytes(request: RequestSpec, path: string): Buffer {
  const { method = 'POST', version = 'HTTP/1.1', headers, body = new Uint8Array(0), framing = 'length' } = request
  const lines = [`${method} ${request.path ?? path} ${version}`]
  if (request.host !== false) lines.push('Host: 127.0.0.1')
  for (const { name, value } of headers) lines.push(`${name}: ${value}`)
  if (framing === 'length') lines.push(`Content-Length: ${body.byteLength}`)
  if (typeof framing === 'object') lines.push('Transfer-Encoding: chunked')
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return Buffer.concat([head, typeof framing === 'object' ? toChunks(body, framing.chunked) : body])
}

/** Encodes a body in chunks. */
function toChunks(body: Uint8Array, size: number): Buffer {
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < body.byteLength; offset += size) {
    const chunk = body.subarray(offset, offset + size)
    parts.push(Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function parse(received: Buffer, tookMs: number, ended: boolean, head: boolean): Reply | undefined {
  const none: Reply = { status: 'closed', headers: {}, body: '', tookMs }
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return ended ? none : undefined
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  // An interim response (100 Continue) precedes the final one.
  if (status < 200) return parse(received.subarray(headEnd + 4), tookMs, ended, head)
  const headers = readHeaders(lines)
  // A 204 response has neither a body nor a length.
  const body = head || status === 204 ? '' : readBody(headers, received.subarray(headEnd + 4), ended)
  if (body === undefined) return ended ? none : undefined
  return { status, headers, body, tookMs }
}

function readHeaders(lines: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return headers
}

/** Returns the body once it is complete. */
function readBody(headers: Readonly<Record<string, string>>, bytes: Buffer, ended: boolean): string | undefined {
  const length = headers['content-length']
  if (length !== undefined)
    return bytes.byteLength >= Number(length) ? bytes.subarray(0, Number(length)).toString() : undefined
  if (headers['transfer-encoding']?.includes('chunked')) return readChunks(bytes)
  return ended ? bytes.toString() : undefined
}

function readChunks(bytes: Buffer): string | undefined {
  const parts: Buffer[] = []
  for (let offset = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', offset)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(offset, lineEnd).toString(), 16)
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    offset = lineEnd + 2 + size + 2
    if (offset > bytes.byteLength) return undefined
  }
}
