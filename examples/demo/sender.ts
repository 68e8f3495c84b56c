/**
 * Plays GoValid: signs a payload, sends it with POST and waits 5 s for the response. The demo retries after GoValid's delays.
 * Source: govalid docs, webhooks setup.
 */
import { signDelivery } from 'govalid-webhooks/testing'

/** The length of a minute between two attempts in the demo, in milliseconds. */
export const MINUTE_MS = 20

/** The delay before each attempt, in minutes. */
export const DELAYS = [0, 1, 5, 15, 60] as const

/** The response to a request, or the reason why none arrived. */
export interface WebhookResponse {
  /** The HTTP status and the outcome, such as `200 processed`. */
  readonly text: string
  readonly tookMs: number
}

/** A signed request, which can be sent several times. */
export interface SignedRequest {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Signs a body. `instead` replaces the body after it was signed. */
export async function sign(body: string, secret: string, instead = body): Promise<SignedRequest> {
  const { headers } = await signDelivery(body, { secret })
  return { body: instead, headers }
}

/** Makes one attempt. */
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
    return `no response: ${error instanceof Error ? error.message : 'unknown'}`
  }
}

function readOutcome(body: string): string {
  const status = /^\{"status":"(\w+)"/.exec(body)?.[1]
  return status ?? '(no outcome)'
}
