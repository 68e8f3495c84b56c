/** The floors: what somebody who knows Node would write by hand, with a kept key. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { KEY, type Received } from './deliveries.js'

const PREFIX = 'sha256='.length

/** `createHmac` with a kept `KeyObject`, compared with `timingSafeEqual`. */
export function verifyByHand(body: Uint8Array, signature: string): boolean {
  const expected = createHmac('sha256', KEY).update(body).digest()
  const given = Buffer.from(signature.slice(PREFIX), 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

const expectedDigits = Buffer.alloc(64)
const givenDigits = Buffer.alloc(64)

/** The same with hex digits in kept buffers: quicker than bytes. */
export function verifyInKeptBuffers(body: Uint8Array, signature: string): boolean {
  expectedDigits.write(createHmac('sha256', KEY).update(body).digest('hex'), 'latin1')
  givenDigits.write(signature.slice(PREFIX), 'latin1')
  return timingSafeEqual(expectedDigits, givenDigits)
}

/** What is asked of a handler: something of the event, so that parsing cannot be left out. */
export interface ScannedEvent {
  readonly event: string
  readonly data: { readonly scan_count: number }
}

/** Verified and parsed by hand. */
export function receiveByHand({
  body,
  signature,
}: Pick<Received, 'signature'> & { readonly body: Buffer }): ScannedEvent {
  if (!verifyByHand(body, signature)) throw new Error('a good delivery was refused')
  return JSON.parse(body.toString('utf8')) as ScannedEvent
}
