/**
 * Passes a delivery on: the bytes and headers as they came, to one address, with the time GoValid would wait. In: an arrival. Out: what
 * was answered, or why there was no answer.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { HeaderLine } from '../inspector/wire.js'
import { RESPONSE_MS, reasonFor } from '../terminal/post.js'
import type { Arrival } from './record.js'

/** What came back. */
export interface Forwarded {
  /** Absent when there was no answer. */
  readonly status?: number
  /** Why there was none. */
  readonly reason?: string
  readonly headers: readonly HeaderLine[]
  /** The beginning of the answer's body. */
  readonly body: Uint8Array
  readonly tookMs: number
}

const MAX_RESPONSE_BYTES = 64 * 1024

/** Headers that belong to one connection (RFC 9110, 7.6.1), and those that are made anew for the next one. */
const OF_ONE_CONNECTION =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|content-length|expect)$/i

/** The headers that go further than one connection. */
export function endToEnd(headers: readonly HeaderLine[]): readonly HeaderLine[] {
  return headers.filter(([name]) => !OF_ONE_CONNECTION.test(name))
}

/** Passes it on and waits. Never rejects, follows no redirect. */
export async function forward(address: string, arrival: Arrival): Promise<Forwarded> {
  const startedAt = performance.now()
  const tookMs = () => Math.round((performance.now() - startedAt) * 10) / 10
  const signal = AbortSignal.timeout(RESPONSE_MS)
  try {
    const response = await send(new URL(address), arrival, signal)
    const body = await readStart(response)
    return { status: response.statusCode ?? 0, headers: pairsOf(response.rawHeaders), body, tookMs: tookMs() }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    const reason = signal.aborted ? `no answer within ${RESPONSE_MS / 1000} s` : reasonFor(code)
    return { reason, headers: [], body: new Uint8Array(0), tookMs: tookMs() }
  }
}

function send(url: URL, { method, headers, rawBody }: Arrival, signal: AbortSignal): Promise<IncomingMessage> {
  const hasBody = rawBody.length > 0 || method === 'POST'
  const passed = [...endToEnd(headers), ['Host', url.host]].flat()
  const length = hasBody ? ['Content-Length', String(rawBody.length)] : []
  const start = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request = start(url, { method, headers: [...passed, ...length], agent: false, signal })
    request.once('response', resolve).on('error', reject)
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

/** Node's flat list of names and values, in pairs. */
export function pairsOf(flat: readonly string[]): readonly HeaderLine[] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
}
