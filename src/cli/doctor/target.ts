/** The endpoint under examination, and what is sent to it: the unknown event `doctor.probe`, so that no real handler works made-up data. */
import { createHmac, randomUUID } from 'node:crypto'
import { post, type WebhookResponse } from '../terminal/post.js'

/** The event that is sent: one that no version of GoValid or of this package knows. */
export const PROBE_EVENT = 'doctor.probe'

/** How something is sent. */
export interface SendOptions {
  /** The secret it is signed with. Default: the right one. */
  readonly secret?: string
  /** The header's value; `null` for none. Default: the right one for the body. */
  readonly signature?: string | null
  /** What is sent in place of what was signed. */
  readonly instead?: Uint8Array
  /** Default: `application/json`. */
  readonly contentType?: string | null
}

/** An endpoint under examination. */
export interface Target {
  readonly url: string
  /** A probe's payload, different each time; `members` are laid over it. */
  probe(fields?: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
  /** Signs and sends; text and bytes as they are, an object as compact JSON. */
  send(payload: object | string | Uint8Array, options?: SendOptions): Promise<WebhookResponse>
  /** Sends another request than a delivery. */
  request(method: string, body?: Uint8Array): Promise<WebhookResponse>
  /** What every probe holds and no answer has a reason to hold. */
  readonly mark: string
  /** Every answer so far. */
  readonly responses: readonly WebhookResponse[]
}

/** The value of the signature header. */
export function signatureOf(rawBody: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`
}

/** Makes a target of an address and the secret that the endpoint should know. */
export function createTarget(url: string, secret: string): Target {
  const responses: WebhookResponse[] = []
  const mark = `doctor-${randomUUID()}`
  let count = 0
  const keep = async (pending: Promise<WebhookResponse>): Promise<WebhookResponse> => {
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
      return keep(post(url, { headers, rawBody: options.instead ?? rawBody }))
    },
    request: (method, body) => keep(post(url, { method, headers: {}, ...(body && { rawBody: body }) })),
  }
}

function toBytes(payload: object | string | Uint8Array): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
}
