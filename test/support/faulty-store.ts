/**
 * A store that fails on demand, around one that works: each call can be told to fail in each way, a number of times or for good.
 */
import type { MaybePromise, Store } from '../../src/index.js'

/** A call of the store contract. */
export type StoreCall = 'claim' | 'renew' | 'complete' | 'release'

/** How a call can fail. In the last three the store has done what it was asked, and the caller does not learn it. */
export const FAULTS = [
  'throws',
  'rejects',
  'hangs',
  'answers garbage',
  'does it and rejects',
  'does it and hangs',
] as const

/** One way to fail. */
export type Fault = (typeof FAULTS)[number]

/** Every call. */
export const STORE_CALLS: readonly StoreCall[] = ['claim', 'renew', 'complete', 'release']

/** A store that fails on demand. */
export interface FaultyStore extends Store {
  /** Lets a call fail: the next `times`, or from now on. */
  fail(call: StoreCall, fault: Fault, times?: number): void
  /** From now on everything works. */
  heal(): void
  /** Every call so far, in order. */
  readonly calls: readonly StoreCall[]
  /** How often a call was made. */
  count(call: StoreCall): number
}

/** Wraps a store. */
export function faultyStore(inner: Store): FaultyStore {
  const calls: StoreCall[] = []
  const faults = new Map<StoreCall, { readonly fault: Fault; left: number }>()
  const meet = <WebhookResponse>(
    call: StoreCall,
    work: () => MaybePromise<WebhookResponse>,
  ): MaybePromise<WebhookResponse> => {
    calls.push(call)
    const planned = faults.get(call)
    if (!planned || planned.left <= 0) return work()
    planned.left--
    return failing(planned.fault, work)
  }
  return {
    claim: (request) => meet('claim', () => inner.claim(request)),
    renew: (request) => meet('renew', () => inner.renew(request)),
    complete: (request) => meet('complete', () => inner.complete(request)),
    release: (request) => meet('release', () => inner.release(request)),
    fail: (call, fault, times = Infinity) => void faults.set(call, { fault, left: times }),
    heal: () => faults.clear(),
    calls,
    count: (call) => calls.filter((each) => each === call).length,
  }
}

const DOWN = 'connection refused'

function failing<WebhookResponse>(
  fault: Fault,
  work: () => MaybePromise<WebhookResponse>,
): MaybePromise<WebhookResponse> {
  switch (fault) {
    case 'throws':
      throw new Error(DOWN)
    case 'rejects':
      return Promise.reject(new Error(DOWN))
    case 'hangs':
      return new Promise(() => {})
    case 'answers garbage':
      return { garbage: true } as WebhookResponse
    case 'does it and rejects':
      return Promise.resolve(work()).then(() => Promise.reject(new Error(DOWN)))
    case 'does it and hangs':
      return Promise.resolve(work()).then(() => new Promise<never>(() => {}))
  }
}
