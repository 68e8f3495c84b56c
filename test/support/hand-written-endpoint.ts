/** An endpoint as people write it by hand, without this package: right, but for the faults that are planted in it. */
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'

/** The secret it verifies with. */
export const ENDPOINT_SECRET = 'your_webhook_secret'

/** The body as JSON. */
export function parsed(body: Buffer): { event?: string; timestamp: string; data?: object; [name: string]: unknown } {
  return JSON.parse(body.toString())
}

/** How a hand-written endpoint can be wrong; each function replaces a step of one that is right. */
export interface Faults {
  /** What is signed, given the body. */
  readonly signed?: (body: Buffer) => string | Buffer
  readonly isRight?: (header: string | undefined, expected: string, payload: () => { signature?: string }) => boolean
  /** The status for what is right. */
  readonly status?: (request: IncomingMessage, body: Buffer, key: string) => number | Promise<number>
  readonly secret?: string
  readonly refusal?: (header: string | undefined) => { status: number; body?: string }
  readonly method?: number
  readonly answer?: (body: Buffer) => string
}

/** An endpoint written by hand, right where no fault is planted. */
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
      response.writeHead((await faults.status?.(request, body, key)) ?? 200).end(faults.answer?.(body))
    } catch {
      response.writeHead(500).end()
    }
  }
}
