/**
 * Signs a payload as GoValid does: `sha256=` followed by the hex HMAC-SHA256 of the raw body.
 */
import { encodeHex, encodeUtf8, isBytes } from '../crypto/encoding.js'
import type { Delivery } from '../types.js'

/** Options of `signDelivery`. */
export interface SignOptions {
  /** The webhook's secret. */
  readonly secret: string | Uint8Array
  /** Additional headers, with lowercase names. They can replace `content-type` and `x-govalid-signature`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** `Uint8Array<ArrayBuffer>`. Public types can't name it, because `Uint8Array` has no type parameter before TypeScript 5.7. */
type FetchBytes = ReturnType<Uint8ArrayConstructor['of']>

/** A signed delivery in the forms that receivers, handlers and `fetch` accept. */
export interface SignedDelivery {
  /** The raw body's bytes. */
  readonly rawBody: FetchBytes
  /** The value of `X-GoValid-Signature`. */
  readonly signature: string
  /** The headers of the request, with lowercase names. */
  readonly headers: Readonly<Record<string, string>>
  /** The argument for `receiver.receive`. */
  readonly delivery: Delivery
  /** Creates the request, for `fetch` or for a handler that accepts a `Request`. */
  request(url: string): Request
}

/**
 * Signs a payload. An object is serialized as compact JSON; text and bytes are used unchanged.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { signDelivery } from 'govalid-webhooks/testing'
 *
 * const receiver = createReceiver({ secret: 'a secret' }).on('qr.created', () => {})
 * const signed = await signDelivery({ event: 'qr.created', data: {} }, { secret: 'a secret' })
 * const outcome = await receiver.receive(signed.delivery)
 * ```
 */
export async function signDelivery(
  payload: object | string | Uint8Array,
  options: SignOptions,
): Promise<SignedDelivery> {
  const rawBody = toBytes(payload)
  const signature = await sign(rawBody, options.secret)
  const headers: Readonly<Record<string, string>> = {
    'content-type': 'application/json',
    'x-govalid-signature': signature,
    ...options.headers,
  }
  const delivery: Delivery = {
    method: 'POST',
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    headers: () => headers,
    body: rawBody,
  }
  const request = (url: string) => new Request(url, { method: 'POST', headers, body: rawBody })
  return { rawBody, signature, headers, delivery, request }
}

/** Returns the value of `X-GoValid-Signature` for a raw body. */
export async function sign(rawBody: Uint8Array<ArrayBuffer>, secret: string | Uint8Array): Promise<string> {
  const keyBytes = typeof secret === 'string' ? encodeUtf8(secret) : new Uint8Array(secret)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', keyBytes, algorithm, false, ['sign'])
  return `sha256=${encodeHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, rawBody)))}`
}

function toBytes(payload: object | string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (isBytes(payload)) return new Uint8Array(payload)
  return encodeUtf8(typeof payload === 'string' ? payload : JSON.stringify(payload))
}
