/**
 * The zod schemas of the envelope and of every event: the public exports of `govalid-webhooks/schemas`, and the only file that needs zod.
 * The receiver uses `shapes.ts` instead. A property test proves that it reports an issue exactly where a schema refuses.
 *
 * Objects are loose: undocumented fields are kept. Only `__proto__` is missing, because zod drops it.
 */
import * as z from 'zod'
import { WEBHOOK_ID_LENGTH } from './shapes.js'

if (typeof z.looseObject !== 'function')
  throw new Error(
    'govalid-webhooks/schemas needs zod 4 and found an older version. Run: npm install zod@4. See docs/reference/events.md.',
  )

const text = z.string().nullish()
const amount = z.number().nullish()

/** The location of a scan. Every field may be missing or null. Source: govalid docs: webhooks setup. */
export const scanLocationSchema = z.looseObject({ country: text, city: text })

/** The documented `data` of `qr.scanned`. Source: govalid docs: webhooks setup. */
export const qrScannedDataSchema = z.looseObject({
  qr_id: z.string(),
  qr_title: z.string(),
  scan_location: scanLocationSchema.nullish(),
  device: z.string(),
  platform: z.string(),
  is_first_scan: z.boolean(),
  scan_count: z.number(),
})

/**
 * `data` of the other `qr.*` events.
 *
 * @remarks Inferred from the QR resource of the REST reference; GoValid documents no payload for these events.
 */
export const qrDataSchema = z.looseObject({
  id: text,
  title: text,
  qr_type: text,
  security_level: text,
  status: text,
  scan_count: amount,
  expires_at: text,
  created_at: text,
})

/**
 * `data` of the `subscription.*` events.
 *
 * @remarks Inferred from the subscription resource of the REST reference; GoValid documents no payload for these events.
 */
export const subscriptionDataSchema = z.looseObject({
  plan: text,
  status: text,
  billing_period: text,
  next_billing_date: text,
  amount,
  currency: text,
})

/**
 * `data` of the `payment.*` events.
 *
 * @remarks Inferred from the invoice resource of the REST reference; GoValid documents no payload for these events.
 */
export const paymentDataSchema = z.looseObject({
  id: text,
  amount,
  currency: text,
  status: text,
  date: text,
  payment_method: text,
})

/**
 * `data` of `credit.topup`.
 *
 * @remarks Inferred from the credit resource of the REST reference; GoValid documents no payload for this event.
 */
export const creditDataSchema = z.looseObject({
  balance: amount,
  currency: text,
  last_topup: text,
  package_id: text,
  payment_method: text,
})

/** The `data` of an event whose fields GoValid doesn't document: any object. */
export const openDataSchema = z.looseObject({})

/** The fields of every delivery, with any object as `data`. Source: govalid docs: webhooks setup. */
export const envelopeSchema = z.looseObject({
  event: z.string().min(1),
  timestamp: z.string(),
  webhook_id: z.string().max(WEBHOOK_ID_LENGTH),
  data: openDataSchema,
  signature: text,
})

/** A QR code was created. */
export const qrCreatedSchema = envelopeSchema.extend({ event: z.literal('qr.created'), data: qrDataSchema })
/** A QR code was scanned. */
export const qrScannedSchema = envelopeSchema.extend({ event: z.literal('qr.scanned'), data: qrScannedDataSchema })
/** A QR code expired. */
export const qrExpiredSchema = envelopeSchema.extend({ event: z.literal('qr.expired'), data: qrDataSchema })
/** A QR code was removed or deactivated. */
export const qrRemovedSchema = envelopeSchema.extend({ event: z.literal('qr.removed'), data: qrDataSchema })
/** A QR code was transferred to another owner. */
export const qrTransferredSchema = envelopeSchema.extend({ event: z.literal('qr.transferred'), data: qrDataSchema })
/** A subscription was created. */
export const subscriptionCreatedSchema = envelopeSchema.extend({
  event: z.literal('subscription.created'),
  data: subscriptionDataSchema,
})
/** A subscription was cancelled. */
export const subscriptionCancelledSchema = envelopeSchema.extend({
  event: z.literal('subscription.cancelled'),
  data: subscriptionDataSchema,
})
/** A payment succeeded. */
export const paymentCompletedSchema = envelopeSchema.extend({
  event: z.literal('payment.completed'),
  data: paymentDataSchema,
})
/** A payment failed. */
export const paymentFailedSchema = envelopeSchema.extend({
  event: z.literal('payment.failed'),
  data: paymentDataSchema,
})
/** Credits were added. */
export const creditTopupSchema = envelopeSchema.extend({ event: z.literal('credit.topup'), data: creditDataSchema })
/** Possible counterfeit activity was detected. */
export const counterfeitDetectedSchema = envelopeSchema.extend({
  event: z.literal('counterfeit.detected'),
  data: openDataSchema,
})
/** A staff member was invited. Source: govalid docs: API reference, webhooks. */
export const institutionStaffInvitedSchema = envelopeSchema.extend({
  event: z.literal('institution.staff.invited'),
  data: openDataSchema,
})

/**
 * The schema of each event, keyed by the event's name.
 *
 * @example
 * ```ts
 * import { eventSchemas } from 'govalid-webhooks/schemas'
 *
 * const result = eventSchemas['qr.scanned'].safeParse(JSON.parse('{"event":"qr.scanned"}'))
 * console.log(result.error?.issues)
 * ```
 */
export const eventSchemas = {
  'qr.created': qrCreatedSchema,
  'qr.scanned': qrScannedSchema,
  'qr.expired': qrExpiredSchema,
  'qr.removed': qrRemovedSchema,
  'qr.transferred': qrTransferredSchema,
  'subscription.created': subscriptionCreatedSchema,
  'subscription.cancelled': subscriptionCancelledSchema,
  'payment.completed': paymentCompletedSchema,
  'payment.failed': paymentFailedSchema,
  'credit.topup': creditTopupSchema,
  'counterfeit.detected': counterfeitDetectedSchema,
  'institution.staff.invited': institutionStaffInvitedSchema,
}

/**
 * The schema of any known event; a union discriminated by `event`.
 *
 * @example
 * ```ts
 * import { eventSchema } from 'govalid-webhooks/schemas'
 *
 * const event = eventSchema.parse(JSON.parse('{"event":"qr.created","timestamp":"2025-01-29T12:00:00Z","webhook_id":"wh-001","data":{}}'))
 * if (event.event === 'qr.created') console.log(event.data.title)
 * ```
 */
export const eventSchema = z.discriminatedUnion('event', [
  qrCreatedSchema,
  qrScannedSchema,
  qrExpiredSchema,
  qrRemovedSchema,
  qrTransferredSchema,
  subscriptionCreatedSchema,
  subscriptionCancelledSchema,
  paymentCompletedSchema,
  paymentFailedSchema,
  creditTopupSchema,
  counterfeitDetectedSchema,
  institutionStaffInvitedSchema,
])
