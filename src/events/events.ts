/**
 * The event types, written by hand so that applications don't need zod. A type test proves them equal to the schemas of
 * `govalid-webhooks/schemas`. Fields keep the names that GoValid sends.
 */
import type { EventType } from './event-types.js'

/** The fields of every delivery. Source: govalid docs: webhooks setup. */
export interface Envelope<Type extends string, Data> {
  /** The event's name. */
  readonly event: Type
  /**
   * ISO 8601, for example `2025-01-29T12:00:00Z`. GoValid doesn't document whether this is the time of the event or of the attempt.
   * If the field is missing or has another form, `context.issues` says so.
   */
  readonly timestamp: string
  /** The id of the **subscription**. All its deliveries share this id, so it doesn't identify a delivery. */
  readonly webhook_id: string
  /** The content of the event. */
  readonly data: Data
  /** A signature inside the body. GoValid doesn't document what it signs. It is never verified, so don't trust it. */
  readonly signature?: string | null | undefined
}

/** The location of a scan. A field is missing or null if GoValid couldn't determine it. */
export interface ScanLocation {
  /** The country, for example `ID`. The documented sample uses ISO 3166-1 alpha-2. */
  readonly country?: string | null | undefined
  /** The city, for example `Jakarta`. */
  readonly city?: string | null | undefined
}

/** The documented `data` of `qr.scanned`. Source: govalid docs: webhooks setup. */
export interface QrScannedData {
  /** The id of the QR code; an opaque string. */
  readonly qr_id: string
  /** The title of the QR code. */
  readonly qr_title: string
  /** The location of the scan, as far as GoValid knows it. */
  readonly scan_location?: ScanLocation | null | undefined
  /** The kind of device, for example `mobile`. The possible values aren't documented. */
  readonly device: string
  /** The platform of the device, for example `iOS`. The possible values aren't documented. */
  readonly platform: string
  /** Whether this is the first scan of this QR code. */
  readonly is_first_scan: boolean
  /** How many times this QR code has been scanned, including this scan. */
  readonly scan_count: number
}

/** An object whose fields GoValid doesn't document. */
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
  /** @remarks Inferred. GoValid doesn't document whether this counts credits or money. */
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

/** The event of a given type. */
export type EventOf<Type extends EventType> = { [T in Type]: Envelope<T, EventData[T]> }[Type]

/** Any known event; a union discriminated by `event`. */
export type GoValidEvent = EventOf<EventType>

/** An event that this version doesn't know. It isn't part of {@link GoValidEvent}, because it would break type narrowing. */
export interface UnknownEvent {
  /** The event's name, any non-empty string. */
  readonly event: string
  /** Any other field, as sent. */
  readonly [field: string]: unknown
}

/** A difference between a payload and its expected shape. The event is processed in spite of it. */
export interface Issue {
  /** The path of the field from the top of the payload, for example `['data', 'scan_count']`. */
  readonly path: readonly string[]
  /** The kind of value that the documentation (or the inferred shape) asks for. */
  readonly expected: string
  /** The kind of value that was received, never the value itself. */
  readonly received: string
}

/** The result of `parseEvent`. `known` is true if this version knows the event. */
export type ParsedEvent =
  | { readonly known: true; readonly event: GoValidEvent; readonly issues: readonly Issue[] }
  | { readonly known: false; readonly event: UnknownEvent; readonly issues: readonly Issue[] }
