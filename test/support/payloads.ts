/** Payloads as GoValid sends them: the documented `qr.scanned`, and a minimal payload for every other event. */
import type { EventType } from '../../src/index.js'

/** The time of the events in the tests: the `timestamp` of the setup guide. */
export const EVENT_TIME = '2025-01-29T12:00:00Z'

/** A payload as an object, before it is serialized. */
export interface Payload {
  readonly event: string
  readonly timestamp: string
  readonly webhook_id: string
  readonly data: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** The `qr.scanned` of the setup guide, without the `signature` inside its body. Source: govalid docs, webhooks setup. */
export function scannedEvent(changes: Readonly<Record<string, unknown>> = {}): Payload {
  return {
    event: 'qr.scanned',
    timestamp: EVENT_TIME,
    webhook_id: 'wh-001',
    data: {
      qr_id: 'abc123',
      qr_title: 'Product Certificate #001',
      scan_location: { country: 'ID', city: 'Jakarta' },
      device: 'mobile',
      platform: 'iOS',
      is_first_scan: false,
      scan_count: 15,
    },
    ...changes,
  }
}

/** A minimal event of a type that has no issues. */
export function eventOf(type: EventType, changes: Readonly<Record<string, unknown>> = {}): Payload {
  return type === 'qr.scanned'
    ? scannedEvent(changes)
    : { event: type, timestamp: EVENT_TIME, webhook_id: 'wh-001', data: {}, ...changes }
}
