// A raw TCP client: sends any bytes as a request, well-formed or not, and reads one answer.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RequestSpec } from './case.js'

/** What came back on a connection. */
export interface Reply {
  /** `closed` when the connection ended without a whole answer. */
  readonly status: number | 'closed'
  /** Names in lower case, repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** From the first byte sent to the whole answer. */
  readonly tookMs: number
}

/** A connection that is written to piece by piece. */
export interface Line {
  readonly socket: Socket
  write(bytes: Uint8Array | string): Promise<void>
  /** The answer, once it came; `closed` when the connection ends before. */
  readonly reply: Promise<Reply>
  /** Resolves on the first `100 Continue`. */
  readonly continued: Promise<void>
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  /** Ends the connection with a reset. */
  reset(): void
  end(): void
}

/** Opens a connection. `HEAD` answers have no body, whatever their headers say. */
export async function openLine(port: number, options: { readonly head?: boolean } = {}): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  // A reset by the peer is a result here, never a fault of the test.
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

/** Sends bytes on a connection of their own and reads the answer. */
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

/** The bytes of a request. */
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

/** A body in the chunked coding. */
function toChunks(body: Uint8Array, size: number): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.byteLength; at += size) {
    const chunk = body.subarray(at, at + size)
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
  // An interim answer (100 Continue) is followed by the real one.
  if (status < 200) return parse(received.subarray(headEnd + 4), tookMs, ended, head)
  const headers = readHeaders(lines)
  // No Content: an answer without a body, and without a length.
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

/** The body, once it is whole. */
function readBody(headers: Readonly<Record<string, string>>, bytes: Buffer, ended: boolean): string | undefined {
  const length = headers['content-length']
  if (length !== undefined)
    return bytes.byteLength >= Number(length) ? bytes.subarray(0, Number(length)).toString() : undefined
  if (headers['transfer-encoding']?.includes('chunked')) return readChunks(bytes)
  return ended ? bytes.toString() : undefined
}

function readChunks(bytes: Buffer): string | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
    if (at > bytes.byteLength) return undefined
  }
}
