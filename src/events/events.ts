/**
 * The typed events: hand-written interfaces, so that no consumer needs zod. A type test proves them equal to the schemas of
 * `govalid-webhooks/schemas`. Wire names stay as they are.
 */
import type { EventType } from './event-types.js'

/** What every delivery carries around its `data`. Source: govalid docs, webhooks setup. */
export interface Envelope<Type extends string, Data> {
  /** The event's name. */
  readonly event: Type
  /**
   * ISO 8601, for example `2025-01-29T12:00:00Z`. Whether it is the time of the event or of the try is not documented.
   * Absent or in another form only together with an entry in `context.issues`.
   */
  readonly timestamp: string
  /** The id of the **subscription**, the same in every delivery of it. It does not identify a delivery. */
  readonly webhook_id: string
  /** What the event is about. */
  readonly data: Data
  /** Sent inside the body; what it signs is not documented. Never verified, never to be trusted. */
  readonly signature?: string | null | undefined
}

/** Where a scan happened. Every member may be missing or null when GoValid could not tell. */
export interface ScanLocation {
  /** Country, as far as seen ISO 3166-1 alpha-2, for example `ID`. */
  readonly country?: string | null | undefined
  /** City, for example `Jakarta`. */
  readonly city?: string | null | undefined
}

/** The documented `data` of `qr.scanned`. Source: govalid docs, webhooks setup. */
export interface QrScannedData {
  /** The id of the QR code; an opaque string. */
  readonly qr_id: string
  /** The title of the QR code. */
  readonly qr_title: string
  /** Where it was scanned, as far as known. */
  readonly scan_location?: ScanLocation | null | undefined
  /** The kind of device, for example `mobile`; the values are not documented. */
  readonly device: string
  /** The device's platform, for example `iOS`; the values are not documented. */
  readonly platform: string
  /** Whether this code was never scanned before. */
  readonly is_first_scan: boolean
  /** How often this code has been scanned, this scan included. */
  readonly scan_count: number
}

/** An object whose members GoValid does not document. */
export interface OpenData {
  readonly [field: string]: unknown
}

/**
 * `data` of the other `qr.*` events.
 *
 * @remarks Inferred from the QR resource of the REST reference; GoValid documents no payload for these events.
 */
export interface QrData extends OpenData {
  /** @remarks Inferred. */
  readonly id?: string | null | undefined
  /** @remarks Inferred. */
  readonly title?: string | null | undefined
  /** @remarks Inferred. For example `certificate`, `goods`, `url`. */
  readonly qr_type?: string | null | undefined
  /** @remarks Inferred. For example `smart`, `verified`, `secure`, `enterprise`. */
  readonly security_level?: string | null | undefined
  /** @remarks Inferred. For example `active`, `expired`, `removed`. */
  readonly status?: string | null | undefined
  /** @remarks Inferred. */
  readonly scan_count?: number | null | undefined
  /** @remarks Inferred. ISO 8601. */
  readonly expires_at?: string | null | undefined
  /** @remarks Inferred. ISO 8601. */
  readonly created_at?: string | null | undefined
}

/**
 * `data` of the `subscription.*` events.
 *
 * @remarks Inferred from the subscription resource of the REST reference; GoValid documents no payload for these events.
 */
export interface SubscriptionData extends OpenData {
  /** @remarks Inferred. For example `pro`. */
  readonly plan?: string | null | undefined
  /** @remarks Inferred. For example `active`. */
  readonly status?: string | null | undefined
  /** @remarks Inferred. For example `monthly`. */
  readonly billing_period?: string | null | undefined
  /** @remarks Inferred. A date without a time, for example `2025-02-28`. */
  readonly next_billing_date?: string | null | undefined
  /** @remarks Inferred. In major units, for example `9.99`. */
  readonly amount?: number | null | undefined
  /** @remarks Inferred. For example `USD`. */
  readonly currency?: string | null | undefined
}

/**
 * `data` of the `payment.*` events.
 *
 * @remarks Inferred from the invoice resource of the REST reference; GoValid documents no payload for these events.
 */
export interface PaymentData extends OpenData {
  /** @remarks Inferred. For example `INV-2025-001`. */
  readonly id?: string | null | undefined
  /** @remarks Inferred. In major units, for example `9.99`. */
  readonly amount?: number | null | undefined
  /** @remarks Inferred. For example `USD`. */
  readonly currency?: string | null | undefined
  /** @remarks Inferred. For example `paid`. */
  readonly status?: string | null | undefined
  /** @remarks Inferred. A date without a time, for example `2025-01-28`. */
  readonly date?: string | null | undefined
  /** @remarks Inferred. For example `stripe`. */
  readonly payment_method?: string | null | undefined
}

/**
 * `data` of `credit.topup`.
 *
 * @remarks Inferred from the credit resource of the REST reference; GoValid documents no payload for this event.
 */
export interface CreditData extends OpenData {
  /** @remarks Inferred. Whether credits or money is not documented. */
  readonly balance?: number | null | undefined
  /** @remarks Inferred. For example `USD`. */
  readonly currency?: string | null | undefined
  /** @remarks Inferred. ISO 8601. */
  readonly last_topup?: string | null | undefined
  /** @remarks Inferred. For example `business`. */
  readonly package_id?: string | null | undefined
  /** @remarks Inferred. For example `stripe`. */
  readonly payment_method?: string | null | undefined
}

/** The `data` of each event type. */
export interface EventData {
  'qr.created': QrData
  'qr.scanned': QrScannedData
  'qr.expired': QrData
  'qr.removed': QrData
  'qr.transferred': QrData
  'subscription.created': SubscriptionData
  'subscription.cancelled': SubscriptionData
  'payment.completed': PaymentData
  'payment.failed': PaymentData
  'credit.topup': CreditData
  'counterfeit.detected': OpenData
  'institution.staff.invited': OpenData
}

/** The event of one type. */
export type EventOf<Type extends EventType> = { [T in Type]: Envelope<T, EventData[T]> }[Type]

/** Any known event: a union discriminated by `event`. */
export type GoValidEvent = EventOf<EventType>

/** An event this version does not know. It is never a member of {@link GoValidEvent}: that would end narrowing. */
export interface UnknownEvent {
  /** The event's name: any non-empty string. */
  readonly event: string
  /** Any other member, as sent. */
  readonly [field: string]: unknown
}

/** A departure from the documented shape that did not stop the event. */
export interface Issue {
  /** Where, from the top of the payload: `['data', 'scan_count']`. */
  readonly path: readonly string[]
  /** What the documentation (or the inference) says. */
  readonly expected: string
  /** The kind of value that came, never the value itself. */
  readonly received: string
}

/** What `parseEvent` makes of a payload. */
export type ParsedEvent =
  | { readonly known: true; readonly event: GoValidEvent; readonly issues: readonly Issue[] }
  | { readonly known: false; readonly event: UnknownEvent; readonly issues: readonly Issue[] }
