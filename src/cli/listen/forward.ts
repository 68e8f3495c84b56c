/**
 * Forwards a delivery to a URL with the same bytes and headers, and waits as long as GoValid would. Returns the response, or the reason why
 * none arrived.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { HeaderLine } from '../inspector/wire.js'
import { RESPONSE_MS, reasonFor, TIMED_OUT } from '../terminal/post.js'
import type { Arrival } from './record.js'

/** The response to a forwarded delivery. */
export interface Forwarded {
  /** The HTTP status. Absent if no response arrived. */
  readonly status?: number
  /** Why no response arrived. */
  readonly reason?: string
  readonly headers: readonly HeaderLine[]
  /** The first 64 KiB of the response body. */
  readonly body: Uint8Array
  readonly tookMs: number
}

const SWITCHING = 'it replied 101 Switching Protocols to a POST'
const MAX_RESPONSE_BYTES = 64 * 1024

/** Headers of a single connection (RFC 9110, 7.6.1), and headers that the next request sets itself. */
const HOP_BY_HOP = /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|content-length|expect)$/i

/** Returns the headers that are meant for the final recipient. */
export function endToEnd(headers: readonly HeaderLine[]): readonly HeaderLine[] {
  return headers.filter(([name]) => !HOP_BY_HOP.test(name))
}

/** Forwards a delivery and waits for the response. Never rejects, and doesn't follow redirects. */
export async function forward(url: string, arrival: Arrival): Promise<Forwarded> {
  const startedAt = performance.now()
  const tookMs = () => Math.round((performance.now() - startedAt) * 10) / 10
  const signal = AbortSignal.timeout(RESPONSE_MS)
  try {
    const response = await send(new URL(url), arrival, signal)
    const { statusCode: status = 0 } = response
    if (status < 200) throw Object.assign(new Error('no HTTP status'), { code: `it replied with the status ${status}` })
    const body = await readStart(response)
    return { status, headers: pairsOf(response.rawHeaders), body, tookMs: tookMs() }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    const reason = signal.aborted ? TIMED_OUT : reasonFor(code)
    return { reason, headers: [], body: new Uint8Array(0), tookMs: tookMs() }
  }
}

function send(url: URL, { method, headers, rawBody }: Arrival, signal: AbortSignal): Promise<IncomingMessage> {
  const hasBody = rawBody.length > 0 || method === 'POST'
  const forwarded = [...endToEnd(headers), ['Host', url.host]].flat()
  const length = hasBody ? ['Content-Length', String(rawBody.length)] : []
  const start = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = start(url, { method, headers: [...forwarded, ...length], agent: false, signal })
    request.once('response', resolve).on('error', reject)
    // Without a listener, Node closes the connection after `101 Switching Protocols` and emits neither `response` nor `error`.
    request.once('upgrade', (_, socket) => {
      socket.destroy()
      reject(Object.assign(new Error('switching protocols'), { code: SWITCHING }))
    })
    request.end(rawBody)
  })
}

async function readStart(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    total += chunk.length
    if (total >= MAX_RESPONSE_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES)
}

/** Converts Node's flat list of header names and values to pairs. */
export function pairsOf(flat: readonly string[]): readonly HeaderLine[] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
}
