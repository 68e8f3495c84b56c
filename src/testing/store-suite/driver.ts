/**
 * What the conformance suite is given: a test runner, and a description of the driver under test.
 */

import type { MaybePromise } from '../../maybe-promise.js'
import type { Store, TransactionRequest } from '../../stores/store.js'

/** A test runner: that of vitest, jest or node:test fits as it is. */
export interface TestRunner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** Registers a test; its own `skip`, where there is one, registers a test that is not run. */
  readonly test: TestFunction
}

/** The runner's function that registers a test. */
export interface TestFunction {
  (name: string, body: () => Promise<void>): unknown
  /** Registers a test by name that is not run. */
  readonly skip?: (name: string, body: () => Promise<void>) => unknown
}

/** A driver under test. */
export interface StoreDriver {
  /** Its name, for the report. */
  readonly name: string
  /**
   * Opens a store as another process would: stores of one namespace share their records, those of different namespaces do not meet.
   * Called several times in one test; every test uses a new namespace.
   */
  open(options: { readonly namespace: string }): MaybePromise<Store<unknown>>
  /** Ends a store that `open` gave, as the end of its process would: without telling it. */
  close?(store: Store<unknown>): MaybePromise<void>
  /**
   * Lets `ms` milliseconds go by for the store: moves its clock on, or takes `ms` off every time it has recorded (leases, retention and
   * when a try was counted), which comes to the same. Without it the suite waits for real, for a minute and a half.
   */
  advance?(ms: number): MaybePromise<void>
  /** Records survive `close` of every store. Default: `true`. */
  readonly durable?: boolean
  /** The store's clock is another than the calling process's `Date.now`. Default: `true`; `false` for a store inside the process. */
  readonly ownClock?: boolean
  /** Stores have a `quarantine` that can be listed. Default: `false`. */
  readonly quarantine?: boolean
  /** How to try the driver's transactions; absent: it has none. */
  readonly transaction?: TransactionProbe
}

/** How the suite writes something inside a driver's transaction, and sees what was committed. */
export interface TransactionProbe {
  /**
   * Opens `store.transaction(request)` and writes `effect` in it, any text. `before`, where given, is called between the write and the
   * commit where the driver can wait there, else before the transaction; when it throws, so must the transaction.
   */
  commit(
    store: Store<unknown>,
    request: TransactionRequest,
    effect: string,
    before?: () => Promise<void>,
  ): Promise<void>
  /** How often `effect` was committed. */
  count(effect: string): Promise<number>
}
