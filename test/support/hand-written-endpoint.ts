/** A webhook endpoint written by hand, without this package. It is correct except for the faults that a test plants. */
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'

/** The secret that the endpoint verifies with. */
export const ENDPOINT_SECRET = 'your_webhook_secret'

/** Parses a body as JSON. */
export function parsed(body: Buffer): { event?: string; timestamp: string; data?: object; [name: string]: unknown } {
  return JSON.parse(body.toString())
}

/** The faults of a hand-written endpoint. Each field replaces one step of the correct endpoint. */
export interface Faults {
  /** Returns the bytes that the signature is computed over. */
  readonly signed?: (body: Buffer) => string | Buffer
  readonly isRight?: (header: string | undefined, expected: string, payload: () => { signature?: string }) => boolean
  /** The status for a correctly signed request. */
  readonly status?: (request: IncomingMessage, body: Buffer, key: string) => number | Promise<number>
  readonly secret?: string
  readonly refusal?: (header: string | undefined) => { status: number; body?: string }
  readonly method?: number
  readonly responseText?: (body: Buffer) => string
}

/** Makes an endpoint with the given faults. */
export function endpoint(faults: Faults = {}): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    if (request.method !== 'POST') return void response.writeHead(faults.method ?? 405).end()
    try {
      const header = request.headers['x-govalid-signature'] as string | undefined
      const mac = createHmac('sha256', faults.secret ?? ENDPOINT_SECRET).update(faults.signed?.(body) ?? body)
      const expected = `sha256=${mac.digest('hex')}`
      const isRight = faults.isRight?.(header, expected, () => JSON.parse(body.toString())) ?? header === expected
      if (!isRight) {
        const { status, body: text = '' } = faults.refusal?.(header) ?? { status: 401 }
        return void response.writeHead(status).end(text)
      }
      const key = createHash('sha256').update(body).digest('hex')
      response.writeHead((await faults.status?.(request, body, key)) ?? 200).end(faults.responseText?.(body))
    } catch {
      response.writeHead(500).end()
    }
  }
}
