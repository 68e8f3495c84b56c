/**
 * Plays GoValid: signs a payload, POSTs it, waits 5 s for exactly 200, and tries again up to four times.
 * Source: govalid docs, webhooks setup.
 */
import { signDelivery } from 'govalid-webhooks/testing'

/** How long a minute between two tries takes here, in milliseconds. */
export const MINUTE_MS = 20

/** Minutes waited before each try. */
export const PAUSES = [0, 1, 5, 15, 60] as const

/** A request that was answered, or was not. */
export interface WebhookResponse {
  /** The HTTP status and the outcome in the body: `200 processed`. */
  readonly text: string
  readonly tookMs: number
}

/** A signed request, ready to be sent as often as needed. */
export interface SignedRequest {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Signs what is sent; `instead` is put in its place afterwards, under the same signature. */
export async function sign(body: string, secret: string, instead = body): Promise<SignedRequest> {
  const { headers } = await signDelivery(body, { secret })
  return { body: instead, headers }
}

/** Sends one try. */
export async function send(url: string, { body, headers }: SignedRequest): Promise<WebhookResponse> {
  const startedAt = performance.now()
  const text = await post(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(5000) })
  return { text, tookMs: performance.now() - startedAt }
}

async function post(url: string, request: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, request)
    return `${response.status} ${readOutcome(await response.text())}`
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : 'unknown'}`
  }
}

function readOutcome(body: string): string {
  const status = /^\{"status":"(\w+)"/.exec(body)?.[1]
  return status ?? 'without an outcome'
}
