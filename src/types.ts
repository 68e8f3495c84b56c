/**
 * The domain types: a delivery goes into a receiver, an outcome comes out, and a handler gets an event and its context.
 */
import type { QuarantinedCode, RefusedCode, ReportCode, UnavailableCode } from './errors.js'
import type { GoValidEvent, Issue, UnknownEvent } from './events/events.js'

/** Receives the chunks of a body. */
export interface BodyConsumer {
  /** The next bytes. */
  chunk(bytes: Uint8Array): void
  /** The body is complete. */
  end(): void
  /** The body ended before it was complete. */
  fail(error: unknown): void
}

/** A body that is pushed in chunks. The Node adapters pass a socket's stream this way. */
export interface BodyStream {
  /** Starts reading; called once. The returned function stops reading: `consumer` isn't called after that. */
  read(consumer: BodyConsumer): () => void
}

/** A body whose bytes are lost because something parsed them first. */
export interface ParsedBody {
  /** The fix for this framework. */
  readonly alreadyParsed: string
}

/** The source of the raw body: bytes, text (its UTF-8 bytes), a stream of chunks, or `null` if there is no body. */
export type BodySource =
  | Uint8Array
  | ArrayBuffer
  | string
  | BodyStream
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ParsedBody
  | null

/** One HTTP request as the core sees it. An adapter creates it from its framework's request. */
export interface Delivery {
  /** The HTTP method. */
  readonly method: string
  /** Returns a header's value by its lowercase name. Anything but a string counts as absent. */
  header(name: string): unknown
  /** Returns every header with lowercase names. They are kept with a quarantined delivery. */
  headers?(): Readonly<Record<string, string>>
  /** The raw body: the bytes as received, never parsed and serialized again. */
  readonly body: BodySource
  /** Keeps the platform alive for work after the response. */
  waitUntil?(work: Promise<unknown>): void
  /** `true` if the platform may freeze the process after the response. The lease isn't renewed then. */
  readonly freezesAfterResponse?: boolean | undefined
}

/** The fields of an outcome that describe the delivery, as far as they are known. */
export interface OutcomeDetails {
  /** The event, if it was read. */
  readonly event?: GoValidEvent | UnknownEvent
  /** The key that deduplicates the delivery: 64 lowercase hex digits. */
  readonly idempotencyKey?: string
  /** Which attempt this was, if the store counted it. */
  readonly attempt?: number
  /** How many of the five attempts are left. */
  readonly attemptsLeft?: number
  /** Which configured secret matched, from 0. */
  readonly secretIndex?: number
}

/** How a delivery ended: a union on `status`. Stage 8 maps it to an HTTP status. */
export type Outcome = OutcomeDetails &
  (
    | { readonly status: 'processed' | 'accepted' | 'duplicate' | 'ignored' | 'busy' | 'unfinished' }
    | { readonly status: 'quarantined'; readonly code: QuarantinedCode; readonly error?: unknown }
    | { readonly status: 'unavailable'; readonly code: UnavailableCode; readonly error?: unknown }
    | { readonly status: 'failed'; readonly error: unknown }
    | { readonly status: 'refused'; readonly code: RefusedCode; readonly hint?: string }
  )

/** The argument of `onOutcome`. */
export type ReportedOutcome = Outcome & {
  /** The time since the delivery arrived, in milliseconds. */
  readonly durationMs: number
  /** The handlers ended after the response. The hook received `unfinished` for the same attempt before. */
  readonly late: boolean
}

/** The result of a stage that refuses a request. It isn't an error, so the network can't make us build a stack trace. */
export interface Refusal {
  readonly refused: RefusedCode
  /** For the developer's log, never for the response. */
  readonly hint?: string
  /** Why the body could not be read, for the developer's log. */
  readonly error?: unknown
}

/** The argument of `onError`. It never contains the payload, a secret or a signature. */
export interface ErrorReport {
  /** What happened. Each code has a section in `docs/reference/errors.md`. */
  readonly code: ReportCode | RefusedCode | UnavailableCode | QuarantinedCode
  /** A sentence for a person, with the fix if there is one. */
  readonly message: string
  /** The delivery's key, if it is known. */
  readonly idempotencyKey?: string
  /** The event type, if it is known. The sender can choose any string. */
  readonly eventType?: string
  /** The underlying error, if there is one. */
  readonly error?: unknown
}

/** The second argument of every handler. */
export interface DeliveryContext {
  /** The key that deduplicates this delivery: 64 lowercase hex digits, the same in every attempt. Pass it to services that accept such a key. */
  readonly idempotencyKey: string
  /** Which of the five attempts this is, counted by the store; 1 without a store. */
  readonly attempt: number
  /** Whether an earlier attempt claimed the delivery. Its handlers may have run in part. */
  readonly redelivery: boolean
  /** When the delivery was received, in epoch milliseconds. */
  readonly receivedAt: number
  /** The body's bytes as received. */
  readonly rawBody: Uint8Array
  /** The differences between the payload and its documented shape; empty if there are none. */
  readonly issues: readonly Issue[]
  /** Aborts if the handler runs too long, loses its claim, or is abandoned while the receiver closes. */
  readonly signal: AbortSignal
}

/** What a store with transactions adds to the context. */
export interface TransactionContext<Transaction> {
  /**
   * Commits the handler's writes and its checkpoint together, so the effect happens exactly once. After the commit the handler counts
   * as finished, so a run of a handler may commit one transaction. A transaction whose function threw may be started again.
   *
   * @throws {@link WebhookError} `transaction_needs_name` if the handler has no name and isn't the event's only handler;
   * `transaction_repeated` if it is called again while the first transaction is open or after its commit.
   */
  readonly transaction: Transaction
}

/**
 * A handler's context. It has `transaction` only with a transactional store. `transaction` is optional if the store is chosen at run time
 * and may have no transactions.
 */
export type HandlerContext<Transaction = never> = DeliveryContext & AddedContext<Transaction>

type AddedContext<Transaction> = 0 extends 1 & Transaction
  ? unknown
  : [Transaction] extends [undefined]
    ? unknown
    : undefined extends Transaction
      ? Partial<TransactionContext<Transaction>>
      : TransactionContext<Transaction>

/** A handler of one kind of event. Its return value is ignored. An error fails the attempt. */
export type Handler<Event, Transaction = never> = (event: Event, context: HandlerContext<Transaction>) => unknown
