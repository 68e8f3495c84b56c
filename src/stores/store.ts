/**
 * The store contract. A driver that keeps it processes each event once, loses none in a crash, and ignores late owners.
 * A driver is one plain object in one file. `testStore` of `govalid-webhooks/testing` checks it against this contract.
 *
 * ```text
 *             claim(key): atomic, store clock, new token, attempt counted
 *  (absent) ------------------------------------------> IN PROGRESS(token, lease until, attempt)
 *     ^                                                   |  renew(token)    the lease starts again
 *     |  retention expired                                |  release(token)  -> RELEASED(attempt, completed handlers)
 *     |                                                   |  complete(token) -> DONE
 *   DONE                  lease expired by the store's clock  ->  claimable again, new token
 * ```
 *
 * Every driver keeps these rules:
 *
 * 1. **Atomic.** Of any number of concurrent `claim`s of one key, in any number of processes, exactly one is `claimed`.
 * 2. **Fenced.** `renew`, `complete` and `release` change a record only while it is IN PROGRESS with the same token.
 *    Otherwise they change nothing and return `false`. An expired lease doesn't invalidate the token; only a new claim does.
 * 3. **One clock.** The store's clock (the database's) decides about leases, retention and the gap between attempts. The
 *    caller's clock never does.
 * 4. **Repeatable.** A repeated `claim` with the token that holds the record is the same claim: its first response may have
 *    been lost. It is `claimed` with the same `attempt`, counts nothing, and the lease starts again. A repeated `complete`
 *    with the token that completed the record returns `true` and changes nothing more, with or without `quarantined`. So does
 *    a repeated `release` with the token that released it. A `claim` after the token's own `release` is a new claim, and its attempt is counted.
 * 5. **Retained.** A record exists until its `retainUntil` or the end of its lease, the later of the two. After that the key
 *    is new again, even if the record hasn't been deleted yet. A later `claim` or `complete` can raise `retainUntil`. No
 *    write lowers it.
 * 6. **Counted once.** Every `claimed` result counts an attempt, except a repeated claim. A `busy` result counts at most one
 *    attempt per `attemptGapMs`, and none within that time after a `claimed` result. `release` with `counted: false`
 *    subtracts one attempt.
 * 7. **Checkpointed.** `completedHandlers` is a set. Names added by `renew`, `release`, or `complete` with `quarantined` are
 *    returned by every later claim.
 * 8. **Prompt.** A call rejects if the service can't be reached. It is never queued in a client and executed later.
 *
 * A service with only get and set can't keep these rules. The receiver refuses Workers KV explicitly.
 */

import type { MaybePromise } from '../maybe-promise.js'

/** The argument of {@link Store.claim}. */
export interface ClaimRequest {
  /** 64 lowercase hex digits: the SHA-256 that identifies the delivery. */
  readonly key: string
  /** A new token of the caller, at most 64 ASCII characters. */
  readonly token: string
  /** How long the claim holds without a renewal, in milliseconds. */
  readonly leaseMs: number
  /**
   * How long the caller waits for the result, in milliseconds from the call. Under load a driver may queue the call that long, in order of
   * arrival. Then it rejects with a `WebhookError` `overloaded`, and the call changes nothing. Default: 1,000.
   */
  readonly waitMs?: number
  /** How long the record must be retained, in epoch milliseconds. */
  readonly retainUntil: number
  /**
   * A claim of a busy record counts as an attempt only if the last counted attempt is at least this many milliseconds old.
   * GoValid's attempts are a minute apart, so an earlier claim comes from a parallel copy of the same attempt.
   */
  readonly attemptGapMs: number
  /** Also claim a record that is DONE as `quarantined`, to reprocess it. */
  readonly reprocess?: boolean
}

/** The result of {@link Store.claim}. */
export type ClaimResult =
  | {
      /** The caller holds the claim. */
      readonly status: 'claimed'
      /** The number of this attempt, starting at 1. */
      readonly attempt: number
      /** How many earlier attempts ended with a counted `release`. 0 on a later attempt means that every earlier one crashed. */
      readonly releasedAttempts: number
      /** Names of the handlers that earlier attempts completed. */
      readonly completedHandlers: readonly string[]
      /**
       * The store evicts records before their retention expires, or is configured so that it may. The receiver reports it
       * each time, so set it occasionally, not with every claim.
       */
      readonly evictedEarly?: boolean
    }
  | {
      /** Another caller holds the claim. */
      readonly status: 'busy'
      /** When the other caller's lease expires, in epoch milliseconds of the store's clock. */
      readonly until: number
      /** The number of attempts counted so far. */
      readonly attempt: number
    }
  | {
      /** The delivery is finished. */
      readonly status: 'done'
    }

/** The argument of {@link Store.renew}. */
export interface RenewRequest {
  /** The key of the record. */
  readonly key: string
  /** The token of its claim. */
  readonly token: string
  /** The new length of the lease from now on, in milliseconds. */
  readonly leaseMs: number
  /** See {@link ClaimRequest.waitMs}. Renewals, completions and releases go before new claims. */
  readonly waitMs?: number
  /** Names of the handlers completed so far, to add to the record. If absent, the record's names stay unchanged. */
  readonly completedHandlers?: readonly string[]
}

/** The argument of {@link Store.complete}. */
export interface CompleteRequest {
  /** The key of the record. */
  readonly key: string
  /** The token of its claim. */
  readonly token: string
  /** How long the record must be retained, in epoch milliseconds. */
  readonly retainUntil: number
  /** See {@link ClaimRequest.waitMs}. */
  readonly waitMs?: number
  /** The delivery is in the quarantine: DONE for the sender, claimable with `reprocess`. */
  readonly quarantined?: boolean
  /** Names of the handlers completed so far, to add to the record. Kept for reprocessing. */
  readonly completedHandlers?: readonly string[]
}

/** The argument of {@link Store.release}. */
export interface ReleaseRequest {
  /** The key of the record. */
  readonly key: string
  /** The token of its claim. */
  readonly token: string
  /** Names of the handlers completed so far, to add to the record. */
  readonly completedHandlers: readonly string[]
  /** See {@link ClaimRequest.waitMs}. */
  readonly waitMs?: number
  /** `false` subtracts the attempt again, because the response to the claim came too late to use it. */
  readonly counted: boolean
}

/** The argument of {@link Store.transaction}: the handler that opens a transaction, and its claim. */
export interface TransactionRequest {
  /** The key of the record. */
  readonly key: string
  /** The token of its claim. */
  readonly token: string
  /** The name that commits together with the handler's writes. */
  readonly checkpoint: string
}

/**
 * A deduplication store. `Transaction` is the type of `context.transaction`, or `never` if the driver has no transactions.
 *
 * Every method returns a value or a promise, and throws or rejects if the service fails. The receiver then responds with 503
 * (at `claim`), or continues and repeats the write in the background (at `complete`).
 */
export interface Store<Transaction = never> {
  /**
   * Claims a delivery and counts the attempt. Atomic.
   *
   * @throws the client's error if the service can't be reached.
   */
  claim(request: ClaimRequest): MaybePromise<ClaimResult>
  /** Extends the lease. Returns `false` if the token no longer holds the record. */
  renew(request: RenewRequest): MaybePromise<boolean>
  /** Marks the delivery as finished. Returns `false` if the token no longer holds the record. */
  complete(request: CompleteRequest): MaybePromise<boolean>
  /** Releases the claim for the next attempt. Returns `false` if the token no longer holds the record. */
  release(request: ReleaseRequest): MaybePromise<boolean>
  /** Returns how many operations wait for the service. `status()` of the receiver shows it. */
  waiting?(): number
  /** Opens the transaction function for one run of a handler. Only transactional drivers have it. */
  readonly transaction?: ((request: TransactionRequest) => Transaction) | undefined
  /** The driver's own quarantine. `createReceiver` uses it if no other quarantine is configured. */
  readonly quarantine?: QuarantineSink | undefined
}

/** A delivery in the quarantine, with everything needed to inspect and reprocess it. */
export interface QuarantineEntry {
  /** The key of the delivery. A new entry replaces an entry with the same key. */
  readonly key: string
  /** Why the delivery is here: a `QuarantinedCode`. */
  readonly code: string
  /** The event type, if the body has one. */
  readonly eventType: string | undefined
  /** The body as received, byte for byte. */
  readonly rawBody: Uint8Array
  /** The headers as received, with lowercase names. They include the signature. */
  readonly headers: Readonly<Record<string, string>>
  /** The error of the handler or schema as text, at most 4,000 characters. `undefined` without an error. */
  readonly error: string | undefined
  /** When this attempt was received, in epoch milliseconds. */
  readonly receivedAt: number
  /** The number of the attempt, if the store counted it. */
  readonly attempt: number | undefined
}

/**
 * Keeps deliveries that are authentic but can't be processed. Resolves once the entry is durable. A new entry replaces an
 * entry with the same key. `discard` removes an entry again when a later attempt succeeds.
 */
export interface QuarantineSink {
  (entry: QuarantineEntry): Promise<void>
  /** Removes the entry with that key, if it exists. */
  readonly discard?: ((key: string) => Promise<void>) | undefined
  /** Counts the entries. `status()` of the receiver shows the number. */
  readonly count?: (() => Promise<number>) | undefined
}

/** The quarantine of a durable store: the sink, and the functions for inspecting and emptying it. */
export interface Quarantine extends QuarantineSink {
  /** Removes the entry with that key, if it exists. */
  readonly discard: (key: string) => Promise<void>
  /** Returns the entry with that key. */
  readonly get: (key: string) => Promise<QuarantineEntry | undefined>
  /** Returns at most `limit` entries (100 by default) in the order of their keys, starting after the key `after`. */
  readonly list: (page?: {
    readonly limit?: number | undefined
    readonly after?: string | undefined
  }) => Promise<readonly QuarantineEntry[]>
}
