/** The examined endpoint and the requests to it. They carry the unknown event `doctor.probe`, so that no real handler processes test data. */
import { createHmac, randomUUID } from 'node:crypto'
import { post, type WebhookResponse } from '../terminal/post.js'

/** The type of the test event, which no version of GoValid or of this package knows. */
export const PROBE_EVENT = 'doctor.probe'

/** How to sign and send a payload. */
export interface SendOptions {
  /** The secret to sign with. Default: the endpoint's secret. */
  readonly secret?: string
  /** The value of the signature header, or `null` for no header. Default: the correct signature. */
  readonly signature?: string | null
  /** The body to send in place of the signed body. */
  readonly instead?: Uint8Array
  /** The content type, or `null` for no header. Default: `application/json`. */
  readonly contentType?: string | null
}

/** The examined endpoint. */
export interface Target {
  readonly url: string
  /** Creates a test event with different bytes on every call. `fields` replace the generated fields. */
  probe(fields?: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
  /** Signs and sends a payload: text and bytes unchanged, an object as compact JSON. */
  send(payload: object | string | Uint8Array, options?: SendOptions): Promise<WebhookResponse>
  /** Sends an unsigned request with any method. */
  request(method: string, body?: Uint8Array): Promise<WebhookResponse>
  /** A text that every test event contains and that no response should contain. */
  readonly mark: string
  /** Every response so far. */
  readonly responses: readonly WebhookResponse[]
}

/** Returns the value of the signature header for a body. */
export function signatureOf(rawBody: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`
}

/** Creates a target from a URL and the endpoint's secret. */
export function createTarget(url: string, secret: string): Target {
  const responses: WebhookResponse[] = []
  const mark = `doctor-${randomUUID()}`
  let count = 0
  const record = async (pending: Promise<WebhookResponse>): Promise<WebhookResponse> => {
    const response = await pending
    responses.push(response)
    return response
  }
  return {
    url,
    mark,
    responses,
    probe: (fields = {}) => ({
      event: PROBE_EVENT,
      timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      webhook_id: 'wh-doctor',
      data: { mark, number: ++count },
      ...fields,
    }),
    send(payload, options = {}) {
      const rawBody = toBytes(payload)
      const signature =
        options.signature === undefined ? signatureOf(rawBody, options.secret ?? secret) : options.signature
      const contentType = options.contentType === undefined ? 'application/json' : options.contentType
      const headers = {
        ...(contentType !== null && { 'content-type': contentType }),
        ...(signature !== null && { 'x-govalid-signature': signature }),
      }
      return record(post(url, { headers, rawBody: options.instead ?? rawBody, secret }))
    },
    request: (method, body) => record(post(url, { method, headers: {}, secret, ...(body && { rawBody: body }) })),
  }
}

function toBytes(payload: object | string | Uint8Array): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
}
