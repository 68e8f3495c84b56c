/**
 * What each test of the suite works with: a store on a namespace of its own, deliveries with new keys, and workers that claim them.
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

/** What not every driver has. */
export type Need = 'durable' | 'ownClock' | 'quarantine' | 'transaction'

/** One test of the suite. */
export interface StoreTest {
  /** What is promised, in words; unique in the suite. */
  readonly name: string
  /** What the driver must have for it. */
  readonly needs?: readonly Need[]
  /** Runs it. */
  run(bench: Bench): Promise<void>
}

/** A claimed result. */
export type Claimed = Extract<ClaimResult, { status: 'claimed' }>

/** One process's part in a delivery: a key, a token, and the store it calls. */
export interface Worker {
  readonly key: string
  readonly token: string
  claim(options?: Partial<ClaimRequest>): Promise<ClaimResult>
  renew(options?: Partial<RenewRequest>): Promise<boolean>
  complete(options?: Partial<CompleteRequest>): Promise<boolean>
  release(options?: Partial<ReleaseRequest>): Promise<boolean>
}

/** The place a test works at. */
export interface Bench {
  readonly driver: StoreDriver
  readonly store: Store<unknown>
  /** The unit of time: every lease, gap and retention of the suite is some of these. */
  readonly unitMs: number
  /** How long a claim holds unless a test says otherwise: 4 units. */
  readonly leaseMs: number
  /** After how long a busy claim counts as a try unless a test says otherwise: 2 units. */
  readonly attemptGapMs: number
  /** Opens another store on the same data, as another process would; on another namespace when told so. */
  open(options?: { readonly namespace?: string }): Promise<Store<unknown>>
  /** Ends a store, as the end of its process would. */
  close(store: Store<unknown>): Promise<void>
  /** Lets so many units of time go by. */
  pass(units: number): Promise<void>
  /** The store's clock, in epoch milliseconds. */
  now(): Promise<number>
  /** Workers of one new delivery, each with a token of its own. */
  workers(): Worker[]
  /** One more worker of a delivery, on a store of its choice. */
  worker(key: string, store?: Store<unknown>): Worker
}

const LEASE_UNITS = 4
const ATTEMPT_GAP_UNITS = 2
const FAST_UNIT_MS = 10_000
/** No test waits longer than 4 s: runners give one 5 s by default. */
const SLOW_UNIT_MS = 150
const WORKERS = 4
const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** Runs a test at a bench of its own, and puts everything away. */
export async function runAtBench(driver: StoreDriver, test: StoreTest): Promise<void> {
  const opened = new Set<Store<unknown>>()
  const home = `suite-${randomHex(8)}`
  const open: Bench['open'] = async ({ namespace = home } = {}) => {
    const store = await driver.open({ namespace })
    opened.add(store)
    return store
  }
  const close: Bench['close'] = async (store) => {
    if (opened.delete(store)) await driver.close?.(store)
  }
  try {
    await test.run(createBench(driver, await open(), open, close))
  } finally {
    for (const store of opened) await close(store)
  }
}

function createBench(driver: StoreDriver, store: Store<unknown>, open: Bench['open'], close: Bench['close']): Bench {
  const unitMs = driver.advance ? FAST_UNIT_MS : SLOW_UNIT_MS
  const times = { leaseMs: LEASE_UNITS * unitMs, attemptGapMs: ATTEMPT_GAP_UNITS * unitMs }
  const worker: Bench['worker'] = (key, on = store) => createWorker(on, key, times)
  const bench: Bench = {
    driver,
    store,
    unitMs,
    ...times,
    open,
    close,
    worker,
    async pass(units) {
      if (driver.advance) await driver.advance(units * unitMs)
      else await new Promise<void>((resolve) => setTimeout(resolve, units * unitMs))
    },
    async now() {
      const [first, second] = bench.workers() as [Worker, Worker]
      await first.claim()
      const response = await second.claim()
      if (response.status !== 'busy') throw new Error(`expected a held delivery to be busy, got ${response.status}`)
      return response.until - times.leaseMs
    },
    workers() {
      const key = randomKey()
      return Array.from({ length: WORKERS }, () => worker(key))
    },
  }
  return bench
}

function createWorker(
  store: Store<unknown>,
  key: string,
  times: Pick<ClaimRequest, 'leaseMs' | 'attemptGapMs'>,
): Worker {
  const token = `${randomHex(16)}-1`
  const { leaseMs } = times
  // Far enough ahead of any store's clock: tests of retention say their own.
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

/** A key as the receiver makes it: 64 lower-case hex digits. */
export function randomKey(): string {
  return randomHex(32)
}

function randomHex(bytes: number): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(bytes)))
}

/** Calls `body` so many times at once and waits for all. */
export function atOnce<T>(count: number, body: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => body(index)))
}

/** Adds what all tests of a concern need. */
export function withNeed(need: Need, tests: readonly StoreTest[]): readonly StoreTest[] {
  return tests.map((test) => ({ ...test, needs: [need, ...(test.needs ?? [])] }))
}
