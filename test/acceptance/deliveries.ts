// Deliveries as GoValid would send them, and their signatures, made without the SDK: `createHmac` over the very bytes.
import { createHmac } from 'node:crypto'
import type { Header, RequestSpec } from './case.js'
import { SECRET } from './variants.js'

export interface Payload {
  readonly event: string
  readonly timestamp: string
  readonly webhook_id: string
  readonly data: object
  readonly [field: string]: unknown
}

let count = 0

/** The `data` of the setup guide's example. */
export const SCAN = {
  qr_id: 'abc123',
  qr_title: 'Product Certificate #001',
  scan_location: { country: 'ID', city: 'Jakarta' },
  device: 'mobile',
  platform: 'iOS',
  is_first_scan: false,
  scan_count: 15,
}

/** A scan that happened now; no two are the same. */
export function payload(changes: object = {}): Payload {
  const data = { ...SCAN, qr_id: `qr-${++count}` }
  return { event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data, ...changes }
}

/** Compact JSON, as bytes. */
export function bytesOf(value: object | string): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** A body that is a scan. */
export function scan(changes: object = {}): Buffer {
  return bytesOf(payload(changes))
}

/** A scan of exactly so many bytes. */
export function scanOf(bytes: number): Buffer {
  const empty = scan({ padding: '' }).byteLength
  // The number in its id may have a digit more than that of the empty one: blanks make up for what is left out.
  const body = scan({ padding: 'x'.repeat(bytes - empty - 10) })
  return Buffer.concat([body, Buffer.alloc(bytes - body.byteLength, ' ')])
}

/** A scan whose `data` is this text. */
export function asData(bytes: Buffer): Buffer {
  const head = `{"event":"qr.scanned","timestamp":"${new Date().toISOString()}","webhook_id":"wh-001","data":`
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('}')])
}

/** The hex digits of HMAC-SHA256. */
export function mac(body: Uint8Array, secret: string | Uint8Array = SECRET, algorithm = 'sha256'): string {
  return createHmac(algorithm, secret).update(body).digest('hex')
}

/** The value of `X-GoValid-Signature`. */
export function signatureOf(body: Uint8Array, secret: string | Uint8Array = SECRET): string {
  return `sha256=${mac(body, secret)}`
}

export const JSON_TYPE: Header = { name: 'Content-Type', value: 'application/json' }

/** One header, shortly. */
export function h(name: string, value: string): Header {
  return { name, value }
}

/** A request with this signature header (`undefined`: none). */
export function withSignature(
  body: Uint8Array,
  value: string | undefined,
  more: Partial<RequestSpec> = {},
): RequestSpec {
  const headers = value === undefined ? [JSON_TYPE] : [JSON_TYPE, h('X-GoValid-Signature', value)]
  return { body, ...more, headers: [...headers, ...(more.headers ?? [])] }
}

/** A rightly signed request. */
export function signed(
  body: Uint8Array,
  more: Partial<RequestSpec> = {},
  secret: string | Uint8Array = SECRET,
): RequestSpec {
  return withSignature(body, signatureOf(body, secret), more)
}
