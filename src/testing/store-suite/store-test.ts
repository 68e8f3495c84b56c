/**
 * Runs the tests of the conformance suite. Each test gets a context: a store on a new namespace, deliveries with new keys, and callers
 * that claim them.
 */
import { encodeHex } from '../../crypto/encoding.js'
import type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  ReleaseRequest,
  RenewRequest,
  Store,
} from '../../stores/store.js'
import type { StoreDriver } from './driver.js'

/** A capability that a driver may lack. */
export type Need = 'durable' | 'ownClock' | 'quarantine' | 'transaction' | 'loseResponses'

/** One test of the suite. */
export interface StoreTest {
  /** The title: the promise of the contract. Unique in the suite. */
  readonly name: string
  /** The capabilities that the driver must have. */
  readonly needs?: readonly Need[]
  /** Runs the test. Rejects if the store breaks the promise. */
  run(context: TestContext): Promise<void>
}

/** The result of a successful claim. */
export type Claimed = Extract<ClaimResult, { status: 'claimed' }>

/** One process that claims a delivery: a key, a token and the store it calls. */
export interface Caller {
  readonly key: string
  readonly token: string
  claim(options?: Partial<ClaimRequest>): Promise<ClaimResult>
  renew(options?: Partial<RenewRequest>): Promise<boolean>
  complete(options?: Partial<CompleteRequest>): Promise<boolean>
  release(options?: Partial<ReleaseRequest>): Promise<boolean>
}

/** The environment of one test. */
export interface TestContext {
  readonly driver: StoreDriver
  readonly store: Store<unknown>
  /** The unit of time in milliseconds. Every lease, gap and retention of the suite is a multiple of it. */
  readonly unitMs: number
  /** The default lease: 4 units. */
  readonly leaseMs: number
  /** The default time after which a busy claim counts as an attempt: 2 units. */
  readonly attemptGapMs: number
  /** Opens another store as another process would. Default: the namespace of the test. */
  open(options?: { readonly namespace?: string }): Promise<Store<unknown>>
  /** Closes a store as the end of its process would. */
  close(store: Store<unknown>): Promise<void>
  /** Lets time pass for the store, in units. */
  pass(units: number): Promise<void>
  /** Returns the time of the store's clock, in epoch milliseconds. */
  now(): Promise<number>
  /** Creates four callers of one new delivery, each with its own token. */
  callers(): Caller[]
  /** Creates another caller of a delivery. Default: on the store of the test. */
  caller(key: string, store?: Store<unknown>): Caller
}

const LEASE_UNITS = 4
const ATTEMPT_GAP_UNITS = 2
const FAST_UNIT_MS = 10_000
/** With this unit, no test waits longer than 4 s. The default timeout of test runners is 5 s. */
const SLOW_UNIT_MS = 150
const CALLERS = 4
const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** Runs a test in a new context, and closes every store that it opened. */
export async function runStoreTest(driver: StoreDriver, test: StoreTest): Promise<void> {
  const opened = new Set<Store<unknown>>()
  const ownNamespace = `suite-${randomHex(8)}`
  const open: TestContext['open'] = async ({ namespace = ownNamespace } = {}) => {
    const store = await driver.open({ namespace })
    opened.add(store)
    return store
  }
  const close: TestContext['close'] = async (store) => {
    if (opened.delete(store)) await driver.close?.(store)
  }
  try {
    await test.run(createContext(driver, await open(), open, close))
  } finally {
    for (const store of opened) await close(store)
  }
}

function createContext(
  driver: StoreDriver,
  store: Store<unknown>,
  open: TestContext['open'],
  close: TestContext['close'],
): TestContext {
  const unitMs = driver.advance ? FAST_UNIT_MS : SLOW_UNIT_MS
  const times = { leaseMs: LEASE_UNITS * unitMs, attemptGapMs: ATTEMPT_GAP_UNITS * unitMs }
  const caller: TestContext['caller'] = (key, callerStore = store) => createCaller(callerStore, key, times)
  const context: TestContext = {
    driver,
    store,
    unitMs,
    ...times,
    open,
    close,
    caller,
    async pass(units) {
      if (driver.advance) await driver.advance(units * unitMs)
      else await new Promise<void>((resolve) => setTimeout(resolve, units * unitMs))
    },
    async now() {
      const [first, second] = context.callers() as [Caller, Caller]
      await first.claim()
      const result = await second.claim()
      if (result.status !== 'busy') throw new Error(`expected a claimed delivery to be busy, got ${result.status}`)
      return result.until - times.leaseMs
    },
    callers() {
      const key = randomKey()
      return Array.from({ length: CALLERS }, () => caller(key))
    },
  }
  return context
}

function createCaller(
  store: Store<unknown>,
  key: string,
  times: Pick<ClaimRequest, 'leaseMs' | 'attemptGapMs'>,
): Caller {
  const token = `${randomHex(16)}-1`
  const { leaseMs } = times
  // Far ahead of any store's clock. Tests of retention set their own time.
  const retainUntil = Date.now() + WEEK_MS
  return {
    key,
    token,
    claim: async (options) => store.claim({ key, token, retainUntil, ...times, ...options }),
    renew: async (options) => store.renew({ key, token, leaseMs, ...options }),
    complete: async (options) => store.complete({ key, token, retainUntil, ...options }),
    release: async (options) => store.release({ key, token, completedHandlers: [], counted: true, ...options }),
  }
}

/** Creates a key like the receiver's: 64 lowercase hex digits. */
export function randomKey(): string {
  return randomHex(32)
}

function randomHex(bytes: number): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(bytes)))
}

/** Calls `body` `count` times concurrently and waits for all calls. */
export function concurrently<T>(count: number, body: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => body(index)))
}

/** Adds a need to every test of a concern. */
export function withNeed(need: Need, tests: readonly StoreTest[]): readonly StoreTest[] {
  return tests.map((test) => ({ ...test, needs: [need, ...(test.needs ?? [])] }))
}
