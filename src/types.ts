/**
 * The words of the domain: what goes into a receiver (a delivery), what comes out (an outcome), and what a handler sees.
 */
import type { QuarantinedCode, RefusedCode, ReportCode, UnavailableCode } from './errors.js'
import type { GoValidEvent, Issue, UnknownEvent } from './events/events.js'

/** Takes the chunks of a body as they come. */
export interface BodyConsumer {
  /** The next bytes. */
  chunk(bytes: Uint8Array): void
  /** The body is complete. */
  end(): void
  /** The body cannot be read to its end. */
  fail(error: unknown): void
}

/** A body that is pushed in chunks; how the adapters for Node hand over a socket's stream. */
export interface BodyStream {
  /** Starts reading, once. The returned function stops: no call of `consumer` comes after it. */
  read(consumer: BodyConsumer): () => void
}

/** A body whose bytes are gone because something parsed them first. Says what to change. */
export interface ParsedBody {
  /** The fix for the framework at hand. */
  readonly alreadyParsed: string
}

/** Where the raw body comes from: bytes, text (its UTF-8 bytes), a stream of chunks, or `null` for none. */
export type BodySource =
  | Uint8Array
  | ArrayBuffer
  | string
  | BodyStream
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ParsedBody
  | null

/** One HTTP request as the core sees it: the only thing an adapter makes. */
export interface Delivery {
  /** The HTTP method. */
  readonly method: string
  /** A header's value by its lower-case name. Anything but a string counts as absent. */
  header(name: string): unknown
  /** Every header, names in lower case; kept with a quarantined delivery. */
  headers?(): Readonly<Record<string, string>>
  /** The raw body: bytes as received, never parsed and printed again. */
  readonly body: BodySource
  /** Keeps the platform alive for work that goes on behind the answer. */
  waitUntil?(work: Promise<unknown>): void
  /** `true` where the platform may freeze the code once it has answered: then the lease is not renewed behind the answer. */
  readonly freezesAfterResponse?: boolean
}

/** What an outcome tells about a delivery, as far as it came. */
export interface OutcomeDetails {
  /** The event, once it was read. */
  readonly event?: GoValidEvent | UnknownEvent
  /** What the delivery is deduplicated by: 64 hex digits. */
  readonly idempotencyKey?: string
  /** Which try this was, where the store counted. */
  readonly attempt?: number
  /** How many tries of five are left. */
  readonly attemptsLeft?: number
  /** Which configured secret matched, from 0. */
  readonly secretIndex?: number
}

/** How a delivery ended; a union on `status`. The HTTP status belongs to stage 8. */
export type Outcome = OutcomeDetails &
  (
    | { readonly status: 'processed' | 'accepted' | 'duplicate' | 'ignored' | 'busy' | 'unfinished' }
    | { readonly status: 'quarantined'; readonly code: QuarantinedCode; readonly error?: unknown }
    | { readonly status: 'unavailable'; readonly code: UnavailableCode; readonly error?: unknown }
    | { readonly status: 'failed'; readonly error: unknown }
    | { readonly status: 'refused'; readonly code: RefusedCode; readonly hint?: string }
  )

/** What a stage gives back instead of its result when it stops a delivery; no stack is built for what a network can send. */
export interface Refusal {
  readonly refused: RefusedCode
  /** For the developer's log only, never for the answer. */
  readonly hint?: string
}

/** What is given to `onError`. Never holds the payload, a secret or a signature. */
export interface ErrorReport {
  /** What happened; each code has a section in `docs/errors.md`. */
  readonly code: ReportCode | RefusedCode | UnavailableCode | QuarantinedCode
  /** One sentence for a person, with the cure where there is one. */
  readonly message: string
  /** The delivery's key, where it is known. */
  readonly idempotencyKey?: string
  /** The event type, where it is known; any string a sender can choose. */
  readonly eventType?: string
  /** The error behind it, where there is one. */
  readonly error?: unknown
}

/** What every handler is given beside the event. */
export interface DeliveryContext {
  /** What this delivery is deduplicated by: 64 hex digits, the same in every try. Pass it on to services that take such a key. */
  readonly idempotencyKey: string
  /** Which try of five this is, counted by the store; 1 without a store. */
  readonly attempt: number
  /** Whether an earlier try got as far as a claim; its handlers may have run in part. */
  readonly redelivery: boolean
  /** When the delivery was received, in epoch milliseconds. */
  readonly receivedAt: number
  /** The body's bytes as received. */
  readonly rawBody: Uint8Array
  /** Departures of the payload from its documented shape; empty when there are none. */
  readonly issues: readonly Issue[]
  /** Aborts when the handler took too long, lost its claim, or the receiver gave up on closing. */
  readonly signal: AbortSignal
}

/** A handler's context; `transaction` is there only with a transactional store. */
export type HandlerContext<Transaction = never> = DeliveryContext &
  ([Transaction] extends [never]
    ? unknown
    : {
        /**
         * Commits the handler's writes and its checkpoint together: exactly once. Once it has committed, the handler counts as done,
         * so a run of a handler has one; a work that threw may be given again.
         *
         * @throws {@link WebhookError} `transaction_needs_name` when the handler has no name and is not the event's only one;
         * `transaction_repeated` when it is called again, the first having committed or still being open.
         */
        readonly transaction: Transaction
      })

/** A handler of one kind of event. What it returns is ignored; what it throws fails the try. */
export type Handler<Event, Transaction = never> = (event: Event, context: HandlerContext<Transaction>) => unknown
