/**
 * Wraps a store so that each of its calls can fail in each way, for a number of calls or permanently.
 */
import type { MaybePromise, Store } from '../../src/index.js'

/** A method of the store contract. */
export type StoreCall = 'claim' | 'renew' | 'complete' | 'release'

/** The ways a call can fail. In the last two the store makes the change, but the caller doesn't learn it. */
export const FAULTS = [
  'throws',
  'rejects',
  'hangs',
  'returns garbage',
  'succeeds but rejects',
  'succeeds but hangs',
] as const

/** One way a call can fail. */
export type Fault = (typeof FAULTS)[number]

/** All methods that can fail. */
export const STORE_CALLS: readonly StoreCall[] = ['claim', 'renew', 'complete', 'release']

/** A store that fails on demand. */
export interface FaultyStore extends Store {
  /** Makes a method fail: the next `times` calls, or every call from now on. */
  fail(call: StoreCall, fault: Fault, times?: number): void
  /** Ends all faults. */
  heal(): void
  /** All calls so far, in order. */
  readonly calls: readonly StoreCall[]
  /** How many times a method was called. */
  count(call: StoreCall): number
}

/** Wraps a store. Without a planned fault, every call is passed on. */
export function faultyStore(inner: Store): FaultyStore {
  const calls: StoreCall[] = []
  const faults = new Map<StoreCall, { readonly fault: Fault; left: number }>()
  const run = <Result>(call: StoreCall, perform: () => MaybePromise<Result>): MaybePromise<Result> => {
    calls.push(call)
    const planned = faults.get(call)
    if (!planned || planned.left <= 0) return perform()
    planned.left--
    return fail(planned.fault, perform)
  }
  return {
    claim: (request) => run('claim', () => inner.claim(request)),
    renew: (request) => run('renew', () => inner.renew(request)),
    complete: (request) => run('complete', () => inner.complete(request)),
    release: (request) => run('release', () => inner.release(request)),
    fail: (call, fault, times = Infinity) => void faults.set(call, { fault, left: times }),
    heal: () => faults.clear(),
    calls,
    count: (call) => calls.filter((each) => each === call).length,
  }
}

const DOWN = 'connection refused'

function fail<Result>(fault: Fault, perform: () => MaybePromise<Result>): MaybePromise<Result> {
  switch (fault) {
    case 'throws':
      throw new Error(DOWN)
    case 'rejects':
      return Promise.reject(new Error(DOWN))
    case 'hangs':
      return new Promise(() => {})
    case 'returns garbage':
      return { garbage: true } as Result
    case 'succeeds but rejects':
      return Promise.resolve(perform()).then(() => Promise.reject(new Error(DOWN)))
    case 'succeeds but hangs':
      return Promise.resolve(perform()).then(() => new Promise<never>(() => {}))
  }
}
