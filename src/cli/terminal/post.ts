/**
 * Sends one delivery over HTTP as GoValid does: a POST that waits 5 s, follows no redirect, and succeeds only with status 200.
 * Source: govalid docs, webhooks setup.
 */
import { createRedact } from '../../api/redact.js'

/** How long GoValid waits for a response, in milliseconds. */
export const RESPONSE_MS = 5000

/** The reason for a response that didn't arrive in time. */
export const TIMED_OUT = `no response within ${RESPONSE_MS / 1000} s`

const MAX_RESPONSE_BYTES = 64 * 1024

/** A request to send. */
export interface PostRequest {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly rawBody?: Uint8Array
  /** A text that the redirect's target must not contain. */
  readonly secret?: string
}

/** The response, or the reason why none arrived. */
export interface WebhookResponse {
  /** The HTTP status. Absent if no response arrived. */
  readonly status?: number
  /** The first 64 KiB of the response body. */
  readonly text: string
  /** The target of a redirect. */
  readonly location?: string
  /** The headers. Absent if no response arrived. */
  readonly headers?: Pick<Headers, 'get'>
  /** Why no response arrived, in a few words. */
  readonly reason?: string
  readonly tookMs: number
}

/** Sends a request and waits for the response. Never rejects. */
export async function post(url: string, request: PostRequest): Promise<WebhookResponse> {
  const { method = 'POST', headers, rawBody, secret } = request
  const startedAt = performance.now()
  const tookMs = () => Math.round((performance.now() - startedAt) * 10) / 10
  const signal = AbortSignal.timeout(RESPONSE_MS)
  try {
    const body = rawBody === undefined ? {} : { body: new Uint8Array(rawBody) }
    const response = await fetch(url, { method, headers, ...body, redirect: 'manual', signal })
    const text = await readStart(response)
    const { status, headers: received } = response
    const location = received.get('location')
    const target = location !== null && { location: secret ? createRedact([secret])(location) : location }
    return { status, text, headers: received, tookMs: tookMs(), ...target }
  } catch (error) {
    return { text: '', reason: signal.aborted ? TIMED_OUT : reasonOf(error), tookMs: tookMs() }
  }
}

/** Returns why GoValid would count the response as a failure, or `undefined` for a success. */
export function failureOf({ status, reason }: WebhookResponse): string | undefined {
  if (status === 200) return undefined
  if (status === undefined) return reason ?? 'no response'
  if (status >= 300 && status < 400) return 'GoValid does not follow redirects'
  return status < 300 ? 'GoValid expects exactly 200' : 'only 200 is a success'
}

/** Returns the outcome in the response of a receiver of this package. */
export function outcomeOf({ text }: Pick<WebhookResponse, 'text'>): string | undefined {
  return /^\{"status":"([a-z_]{1,20})"/.exec(text)?.[1]
}

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let total = 0
  for (let next = await reader?.read(); next && !next.done && total < MAX_RESPONSE_BYTES; next = await reader?.read()) {
    chunks.push(next.value)
    total += next.value.length
  }
  if (total >= MAX_RESPONSE_BYTES) await reader?.cancel()
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code !== undefined) return reasonFor(cause.code)
  return cause?.message ?? (error instanceof Error ? error.message : 'unknown')
}

/** Describes the code of a network error in words. */
export function reasonFor(code: string): string {
  return REASONS[code] ?? code
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens on this port (ECONNREFUSED)',
  ENOTFOUND: 'unknown host (ENOTFOUND)',
  ECONNRESET: 'the connection was reset (ECONNRESET)',
  UND_ERR_SOCKET: 'the connection was closed without a response',
}
