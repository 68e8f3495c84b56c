/**
 * Builds the `data` of one realistic event per type. GoValid documents only the fields of `qr.scanned`. The other fields follow the
 * resources of the REST reference, or are invented. Source: govalid docs, webhooks setup; QR and financial endpoints.
 */
import type { EventType } from '../events/event-types.js'
import type { EventData, PaymentData, QrData, SubscriptionData } from '../events/events.js'

const DAY_MS = 24 * 60 * 60 * 1000

/** Formats a time as in the documentation: ISO 8601 in UTC, whole seconds. */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Returns a new `data` object for an event that happens at `now`, in epoch milliseconds. */
export function fixtureOf(type: EventType, now: number): EventData[EventType] {
  return FIXTURES[type](now)
}

const FIXTURES: { readonly [Type in EventType]: (now: number) => EventData[Type] } = {
  'qr.created': (now) => ({ ...qrCode('active', now), scan_count: 0, created_at: toTimestamp(now) }),
  'qr.scanned': () => ({
    qr_id: 'abc123',
    qr_title: 'Product Certificate #001',
    scan_location: { country: 'ID', city: 'Jakarta' },
    device: 'mobile',
    platform: 'iOS',
    is_first_scan: false,
    scan_count: 15,
  }),
  'qr.expired': (now) => ({ ...qrCode('expired', now), expires_at: toTimestamp(now) }),
  'qr.removed': (now) => qrCode('removed', now),
  'qr.transferred': (now) => qrCode('active', now),
  'subscription.created': (now) => subscription('active', now),
  'subscription.cancelled': (now) => subscription('cancelled', now),
  'payment.completed': (now) => invoice('paid', now),
  'payment.failed': (now) => invoice('failed', now),
  'credit.topup': (now) => ({
    balance: 500,
    currency: 'USD',
    last_topup: toTimestamp(now),
    package_id: 'business',
    payment_method: 'stripe',
  }),
  // GoValid documents no field of these two events. The names follow the labels of the dashboard.
  'counterfeit.detected': () => ({
    qr_id: 'abc123',
    qr_title: 'Product Certificate #001',
    verdict: 'warning',
    location: { country: 'ID', city: 'Surabaya' },
    device: 'mobile',
  }),
  'institution.staff.invited': () => ({
    email: 'staff@example.com',
    role: 'Certificate issuer',
    department: 'Registry',
    status: 'pending',
  }),
}

function qrCode(status: string, now: number): QrData {
  return {
    id: 'abc123',
    title: 'Product Certificate #001',
    qr_type: 'certificate',
    security_level: 'verified',
    status,
    scan_count: 45,
    created_at: toTimestamp(now - 14 * DAY_MS),
  }
}

function subscription(status: string, now: number): SubscriptionData {
  return {
    plan: 'pro',
    status,
    billing_period: 'monthly',
    next_billing_date: toDate(now + 30 * DAY_MS),
    amount: 9.99,
    currency: 'USD',
  }
}

function invoice(status: string, now: number): PaymentData {
  return {
    id: 'INV-2025-001',
    amount: 9.99,
    currency: 'USD',
    status,
    date: toDate(now),
    payment_method: 'stripe',
  }
}

function toDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}
