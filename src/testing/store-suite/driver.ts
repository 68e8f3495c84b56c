/**
 * The input of the conformance suite: a description of the driver under test.
 */
import type { MaybePromise } from '../../maybe-promise.js'
import type { Store, TransactionRequest } from '../../stores/store.js'

/** A driver under test. */
export interface StoreDriver {
  /** The name of the driver in the report. */
  readonly name: string
  /**
   * Opens a store as another process would. Stores of one namespace share their records; stores of different namespaces don't. A test may
   * call it several times, and every test uses a new namespace.
   */
  open(options: { readonly namespace: string }): MaybePromise<Store<unknown>>
  /** Closes a store of `open` as the end of its process would: without any cleanup through the store. */
  close?(store: Store<unknown>): MaybePromise<void>
  /**
   * Lets `ms` milliseconds pass for the store. Advance its clock, or subtract `ms` from every recorded time (leases, retention and the
   * time of the last counted attempt). Default: the suite waits in real time, for about 90 seconds in total.
   */
  advance?(ms: number): MaybePromise<void>
  /**
   * From now on, loses the responses to a store's operations, which are still executed. Resolves to a function that ends those calls as a
   * broken connection does, and reconnects. Omit it if the driver doesn't repeat such operations: tests of lost responses are then skipped.
   */
  loseResponses?(store: Store<unknown>): MaybePromise<() => MaybePromise<void>>
  /** Whether records survive after every store is closed. Default: `true`. */
  readonly durable?: boolean | undefined
  /** Whether the store's clock is independent of the calling process's `Date.now`. Default: `true`. Set `false` for a store inside the process. */
  readonly ownClock?: boolean | undefined
  /** Whether stores have a `quarantine` with `get`, `list` and `discard`. Default: `false`. */
  readonly quarantine?: boolean | undefined
  /** How to test the driver's transactions. Default: the driver has none. */
  readonly transaction?: TransactionProbe | undefined
}

/** Writes inside a driver's transaction and counts committed writes. */
export interface TransactionProbe {
  /**
   * Opens `store.transaction(request)` and writes the text `effect` in it. If `before` is given, call it between the write and the commit,
   * or before the transaction if the driver can't wait inside it. If `before` throws, the transaction must throw the same error.
   */
  commit(
    store: Store<unknown>,
    request: TransactionRequest,
    effect: string,
    before?: () => Promise<void>,
  ): Promise<void>
  /** Returns how many times `effect` was committed. */
  count(effect: string): Promise<number>
}
