/**
 * Creates the deliveries that the benchmarks use, in the form in which they arrive from a socket. Each delivery has its own bytes, time and
 * header, so deduplication never finds a duplicate. All subjects of a round get the same deliveries.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Delivery } from '../src/index.js'

/** The secret that all deliveries are signed with. */
export const SECRET = 'your_webhook_secret'

/** The reusable key for verification by hand. */
export const KEY: KeyObject = createSecretKey(Buffer.from(SECRET))

/** A delivery as it arrives from a socket. */
export interface Received {
  readonly body: Buffer<ArrayBuffer>
  /** `sha256=` and 64 hex digits. */
  readonly signature: string
  /** The same delivery in the form that a receiver accepts. */
  readonly delivery: Delivery
}

let createdBodies = 0

/** Creates a body of about 300 bytes, the `qr.scanned` event of the setup guide. `size` pads the title until the body has `size` bytes. */
export function createBody(size = 0): string {
  const number = createdBodies++
  const write = (title: string) =>
    JSON.stringify({
      event: 'qr.scanned',
      timestamp: new Date(Date.now() - (number % 1000)).toISOString(),
      webhook_id: 'wh-001',
      data: {
        qr_id: `abc${number}`,
        qr_title: title,
        scan_location: { country: 'ID', city: 'Jakarta' },
        device: 'mobile',
        platform: 'iOS',
        is_first_scan: false,
        scan_count: number,
      },
    })
  const short = write('Product Certificate #001')
  return write(
    'Product Certificate #001'.padEnd('Product Certificate #001'.length + Math.max(0, size - short.length), ' batch 7'),
  )
}

/** Creates a batch of deliveries. */
export function createDeliveries(count: number, size = 0): readonly Received[] {
  return Array.from({ length: count }, () => {
    const body = copyToBuffer(createBody(size))
    return receivedOf(body, signatureOf(body))
  })
}

/** Computes the signature header of a body. The result is a flat string, like the strings of an HTTP parser. */
export function signatureOf(body: Uint8Array): string {
  const text = `sha256=${createHmac('sha256', KEY).update(body).digest('hex')}`
  return Buffer.from(text, 'latin1').toString('latin1')
}

function receivedOf(body: Buffer<ArrayBuffer>, signature: string): Received {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-govalid-signature': signature }
  return { body, signature, delivery: { method: 'POST', header: (name) => headers[name], body } }
}

/** Copies a text to a buffer with its own memory, like the buffer of a body that was read. */
export function copyToBuffer(text: string): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
