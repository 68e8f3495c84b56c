/**
 * What the benchmarks are fed with: deliveries as they come off a socket, each with its own bytes, its own time and its own header. No two
 * are the same, so deduplication does its whole work; everybody who is measured gets the same ones.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Delivery } from '../src/index.js'

/** The secret that everything is signed with. */
export const SECRET = 'your_webhook_secret'

/** The kept key of whoever verifies by hand. */
export const KEY: KeyObject = createSecretKey(Buffer.from(SECRET))

/** A delivery as it came off the socket. */
export interface Received {
  readonly body: Buffer<ArrayBuffer>
  /** `sha256=` and 64 digits. */
  readonly signature: string
  /** The same request as the core takes it. */
  readonly delivery: Delivery
}

let made = 0

/** About 300 bytes: the `qr.scanned` of the setup guide. `size` pads its title to a body of that many bytes. */
export function createBody(size = 0): string {
  const number = made++
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

/** A batch of deliveries. */
export function createDeliveries(count: number, size = 0): readonly Received[] {
  return Array.from({ length: count }, () => {
    const body = ownBytes(createBody(size))
    return receivedOf(body, signatureOf(body))
  })
}

/** The header's value for a body: a flat string of its own, as an HTTP parser makes it. */
export function signatureOf(body: Uint8Array): string {
  const text = `sha256=${createHmac('sha256', KEY).update(body).digest('hex')}`
  return Buffer.from(text, 'latin1').toString('latin1')
}

function receivedOf(body: Buffer<ArrayBuffer>, signature: string): Received {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-govalid-signature': signature }
  return { body, signature, delivery: { method: 'POST', header: (name) => headers[name], body } }
}

/** Bytes with a memory of their own, as a read body has. */
export function ownBytes(text: string): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
