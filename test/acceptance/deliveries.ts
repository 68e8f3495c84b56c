// Deliveries as GoValid sends them. Their signatures don't use the SDK: `createHmac` signs the exact bytes.
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

/** Returns a scan that happened now. Every scan is different. */
export function payload(changes: object = {}): Payload {
  const data = { ...SCAN, qr_id: `qr-${++count}` }
  return { event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data, ...changes }
}

/** Returns compact JSON as bytes. */
export function bytesOf(value: object | string): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Returns the body of a scan. */
export function scan(changes: object = {}): Buffer {
  return bytesOf(payload(changes))
}

/** Returns the body of a scan, padded to a number of bytes. */
export function scanOf(bytes: number): Buffer {
  const empty = scan({ padding: '' }).byteLength
  // The id may have one digit more than the id of the empty scan, so the padding is 10 bytes shorter and spaces fill the rest.
  const body = scan({ padding: 'x'.repeat(bytes - empty - 10) })
  return Buffer.concat([body, Buffer.alloc(bytes - body.byteLength, ' ')])
}

/** Returns the body of a scan with these bytes as its `data`. */
export function asData(bytes: Buffer): Buffer {
  const head = `{"event":"qr.scanned","timestamp":"${new Date().toISOString()}","webhook_id":"wh-001","data":`
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('}')])
}

/** Returns the hex digits of a MAC. Default: HMAC-SHA256. */
export function mac(body: Uint8Array, secret: string | Uint8Array = SECRET, algorithm = 'sha256'): string {
  return createHmac(algorithm, secret).update(body).digest('hex')
}

/** Returns the value of `X-GoValid-Signature`. */
export function signatureOf(body: Uint8Array, secret: string | Uint8Array = SECRET): string {
  return `sha256=${mac(body, secret)}`
}

export const JSON_TYPE: Header = { name: 'Content-Type', value: 'application/json' }

/** Creates a header. */
export function h(name: string, value: string): Header {
  return { name, value }
}

/** Creates a request with this signature header, or without one if `value` is `undefined`. */
export function withSignature(
  body: Uint8Array,
  value: string | undefined,
  more: Partial<RequestSpec> = {},
): RequestSpec {
  const headers = value === undefined ? [JSON_TYPE] : [JSON_TYPE, h('X-GoValid-Signature', value)]
  return { body, ...more, headers: [...headers, ...(more.headers ?? [])] }
}

/** Creates a request with a valid signature. */
export function signed(
  body: Uint8Array,
  more: Partial<RequestSpec> = {},
  secret: string | Uint8Array = SECRET,
): RequestSpec {
  return withSignature(body, signatureOf(body, secret), more)
}
