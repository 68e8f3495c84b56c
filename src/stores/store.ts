/**
 * The store contract: what a driver promises so that an event is worked once, a crash loses none, and a late worker changes nothing.
 * A driver is one plain object in one file; `testStore` of `govalid-webhooks/testing` proves that it keeps this contract.
 *
 * ```text
 *             claim(key) atomic, the store's clock, new token, try counted
 *  (absent) ------------------------------------------> IN PROGRESS(token, lease until, attempt)
 *     ^                                                   |  renew(token)    the lease runs anew
 *     |  retention over                                   |  release(token)  -> RELEASED(attempt, handlers already done)
 *     |                                                   |  complete(token) -> DONE
 *   DONE                       lease over by the store's clock  ->  claimable again, new token
 * ```
 *
 * What every driver must keep:
 *
 * 1. **Atomic.** Of any number of concurrent `claim`s of one key, in any number of processes, exactly one is `claimed`.
 * 2. **Fenced.** `renew`, `complete` and `release` change the record only while it is IN PROGRESS with the very token given;
 *    else they change nothing and answer `false`. A lease that is over does not take the token away: only another claim does.
 * 3. **One clock.** Leases, retention and the gap between tries are judged by the store's clock (the database's), never by the caller's.
 * 4. **Repeatable.** A `claim` repeated with the token that holds the record (its answer was lost) is the same claim: `claimed`,
 *    the lease runs anew, the same `attempt`, nothing counted. A `complete` repeated with the token that completed the record,
 *    into quarantine or not, answers `true` and changes nothing more. After its own `release` a token claims anew, and the try is counted.
 * 5. **Remembered.** A record is there until its `retainUntil` or the end of its lease, whichever is later; then the key is new again,
 *    whether the record was cleaned up yet or not. No later write lowers `retainUntil`; a later one given to `claim` or `complete` raises it.
 * 6. **Counted once.** Every claim that is `claimed` is a try, but for a repeated one; of the claims that are `busy`, at most one per
 *    `attemptGapMs`, and none within that time after a claimed one. `release` with `counted: false` takes one off again.
 * 7. **Checkpointed.** `completedHandlers` is a set: what `renew`, `release` or `complete` with `quarantined` adds is told to every later claim.
 * 8. **Prompt.** When the service cannot be reached a call rejects; it is never queued in a client to come alive later.
 *
 * Get/set services cannot do this; Workers KV is refused by name.
 */

import type { MaybePromise } from '../maybe-promise.js'

/** What `claim` is given. */
export interface ClaimRequest {
  /** 64 lower-case hex digits: the SHA-256 that identifies the delivery. */
  readonly key: string
  /** The claimer's own new token, at most 64 ASCII characters. */
  readonly token: string
  /** How long the claim holds without being renewed, in milliseconds. */
  readonly leaseMs: number
  /** Until when the record must be remembered, in epoch milliseconds. */
  readonly retainUntil: number
  /**
   * A claim that finds the record busy counts as a try only when the last counted one is at least this many milliseconds old:
   * the sender's tries are a minute apart, so what comes sooner is a parallel copy of the same try.
   */
  readonly attemptGapMs: number
  /** Also claim a record that is DONE as `quarantined`, to work it again by hand. */
  readonly reprocess?: boolean
}

/** What `claim` answers. */
export type ClaimResult =
  | {
      /** The caller holds the claim now. */
      readonly status: 'claimed'
      /** Which try this is, from 1. */
      readonly attempt: number
      /** How many earlier tries ended with a counted `release`: 0 on a later try means that every one ended in a crash. */
      readonly releasedAttempts: number
      /** Names of the handlers that an earlier try finished. */
      readonly completedHandlers: readonly string[]
      /** The store forgets deliveries before their time, or may have to; the receiver reports it. Say so now and then, not each time. */
      readonly evictedEarly?: boolean
    }
  | {
      /** Somebody else holds it. */
      readonly status: 'busy'
      /** When the other's lease ends, in epoch milliseconds of the store's clock. */
      readonly until: number
      /** How many tries are counted, this one included. */
      readonly attempt: number
    }
  | {
      /** It is finished. */
      readonly status: 'done'
    }

/** What `renew` is given. */
export interface RenewRequest {
  /** The record's key. */
  readonly key: string
  /** The token it was claimed with. */
  readonly token: string
  /** The lease runs anew for this many milliseconds. */
  readonly leaseMs: number
  /** Names of the handlers finished so far, to be added to the record; absent: unchanged. */
  readonly completedHandlers?: readonly string[]
}

/** What `complete` is given. */
export interface CompleteRequest {
  /** The record's key. */
  readonly key: string
  /** The token it was claimed with. */
  readonly token: string
  /** Until when the record must be remembered, in epoch milliseconds. */
  readonly retainUntil: number
  /** The delivery was given to the quarantine: DONE for the sender, claimable with `rework`. */
  readonly quarantined?: boolean
  /** Names of the handlers finished so far, added to the record; kept for a rework. */
  readonly completedHandlers?: readonly string[]
}

/** What `release` is given. */
export interface ReleaseRequest {
  /** The record's key. */
  readonly key: string
  /** The token it was claimed with. */
  readonly token: string
  /** Names of the handlers finished so far, added to the record. */
  readonly completedHandlers: readonly string[]
  /** `false` takes the try back: the claim was answered too late to be used. */
  readonly counted: boolean
}

/** Which handler's transaction is opened, and under which claim. */
export interface TransactionRequest {
  /** The record's key. */
  readonly key: string
  /** The token it was claimed with. */
  readonly token: string
  /** The checkpoint that commits together with the handler's writes. */
  readonly checkpoint: string
}

/**
 * A deduplication store. `Transaction` is the type of `context.transaction` where the driver offers one, else `never`.
 *
 * Every method may be synchronous or return a promise. Each rejects (or throws) when the service fails; the receiver then answers
 * 503 (at `claim`) or goes on and retries behind (at `complete`).
 */
export interface Store<Transaction = never> {
  /**
   * Claims a delivery, counting the try. Atomic.
   *
   * @throws whatever the client throws when the service cannot be reached.
   */
  claim(request: ClaimRequest): MaybePromise<ClaimResult>
  /** Extends the lease; `false` when the token no longer holds the record. */
  renew(request: RenewRequest): MaybePromise<boolean>
  /** Marks the delivery finished; `false` when the token no longer holds the record. */
  complete(request: CompleteRequest): MaybePromise<boolean>
  /** Gives the claim back for another try; `false` when the token no longer holds the record. */
  release(request: ReleaseRequest): MaybePromise<boolean>
  /** Opens the transaction function for one handler's run; only transactional drivers have it. */
  readonly transaction?: (request: TransactionRequest) => Transaction
  /** The driver's own quarantine, used when `createReceiver` is given no other. */
  readonly quarantine?: QuarantineSink
}

/** One delivery in quarantine: everything needed to look at it and to work it again. */
export interface QuarantineEntry {
  /** The delivery's key; entries are upserted by it. */
  readonly key: string
  /** Why it is here: a `QuarantinedCode`. */
  readonly code: string
  /** The event type where one could be read. */
  readonly eventType: string | undefined
  /** The body as received, byte for byte. */
  readonly rawBody: Uint8Array
  /** The headers as received, names in lower case; the signature is among them. */
  readonly headers: Readonly<Record<string, string>>
  /** The handler's or schema's error as text, at most 4,000 characters; absent where there was none. */
  readonly error: string | undefined
  /** When this try was received, in epoch milliseconds. */
  readonly receivedAt: number
  /** Which try it was, where the store counted. */
  readonly attempt: number | undefined
}

/**
 * Where deliveries go that are authentic but cannot be worked. Resolves once the entry is durable; the same key again replaces
 * the entry. `discard` takes an entry back when a later try succeeded after all.
 */
export interface QuarantineSink {
  (entry: QuarantineEntry): Promise<void>
  /** Removes the entry of that key, if there is one. */
  readonly discard?: (key: string) => Promise<void>
}

/** A quarantine that a durable store keeps: the sink, and what a person needs to empty it again. */
export interface Quarantine extends QuarantineSink {
  /** Removes the entry of that key, if there is one. */
  readonly discard: (key: string) => Promise<void>
  /** The entry of that key. */
  readonly get: (key: string) => Promise<QuarantineEntry | undefined>
  /** Entries in the order of their keys: at most `limit` (100), those after the key `after`. */
  readonly list: (page?: { readonly limit?: number; readonly after?: string }) => Promise<readonly QuarantineEntry[]>
}
