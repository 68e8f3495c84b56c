/** Signed deliveries in the form that an inbox or the quarantine returns them. */
import { createHash } from 'node:crypto'
import type { AcceptedDelivery, QuarantineEntry } from '../../src/index.js'
import { EVENT_TIME } from './payloads.js'
import { deliveryOf, type Sent } from './receiving.js'

/** A delivery as an inbox passes it to `receiver.process`. */
export function jobOf(sent?: Sent): AcceptedDelivery {
  const { body, headers } = deliveryOf(sent)
  const rawBody = body as Uint8Array
  return { key: keyOf(rawBody), rawBody, headers: headers?.() ?? {}, receivedAt: Date.parse(EVENT_TIME) }
}

/** A delivery as the quarantine passes it to `receiver.reprocess`. */
export function entryOf(sent?: Sent): QuarantineEntry {
  return { ...jobOf(sent), code: 'stale', eventType: 'qr.scanned', error: undefined, attempt: undefined }
}

/** The idempotency key of a body: the SHA-256 of its bytes, computed with `node:crypto` only. */
export function keyOf(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}
