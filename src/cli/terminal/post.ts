/**
 * Sends one delivery over HTTP as GoValid does: a POST, 5 s for the answer, no redirect followed, exactly 200 is success.
 * Source: govalid docs, webhooks setup.
 */

/** How long GoValid waits for an answer, in milliseconds. */
export const RESPONSE_MS = 5000

const MAX_RESPONSE_BYTES = 64 * 1024

/** What is sent. */
export interface Shipment {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly rawBody?: Uint8Array
}

/** What came back. */
export interface WebhookResponse {
  /** The HTTP status; absent when there was no answer. */
  readonly status?: number
  /** The beginning of its body. */
  readonly text: string
  /** Where a redirect leads. */
  readonly location?: string
  /** Why there was no answer, in a word or two. */
  readonly reason?: string
  readonly tookMs: number
}

/** Sends it and waits. Never rejects. */
export async function post(url: string, { method = 'POST', headers, rawBody }: Shipment): Promise<WebhookResponse> {
  const startedAt = performance.now()
  const tookMs = () => Math.round((performance.now() - startedAt) * 10) / 10
  const signal = AbortSignal.timeout(RESPONSE_MS)
  try {
    const body = rawBody === undefined ? {} : { body: new Uint8Array(rawBody) }
    const response = await fetch(url, { method, headers, ...body, redirect: 'manual', signal })
    const text = await readStart(response)
    const location = response.headers.get('location')
    return { status: response.status, text, tookMs: tookMs(), ...(location !== null && { location }) }
  } catch (error) {
    const reason = signal.aborted ? `no answer within ${RESPONSE_MS / 1000} s` : reasonOf(error)
    return { text: '', reason, tookMs: tookMs() }
  }
}

/** Why GoValid would count this as a failure; `undefined` where it would not. */
export function failureOf({ status, reason }: WebhookResponse): string | undefined {
  if (status === 200) return undefined
  if (status === undefined) return reason ?? 'no answer'
  if (status >= 300 && status < 400) return 'a redirect is no 200'
  return status < 300 ? 'GoValid wants exactly 200' : 'only 200 is success'
}

/** The outcome that a receiver of this package names in its answer. */
export function outcomeOf({ text }: WebhookResponse): string | undefined {
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

/** The code of a network error in words. */
export function reasonFor(code: string): string {
  return REASONS[code] ?? code
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'there is no such host (ENOTFOUND)',
  ECONNRESET: 'the connection was reset (ECONNRESET)',
  UND_ERR_SOCKET: 'the connection was closed without an answer',
}
