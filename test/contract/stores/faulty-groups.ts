/** Groups the operations of a correct store, with faults to plant. It proves that the conformance suite finds them. */
import type { MaybePromise } from '../../../src/maybe-promise.js'
import type { ClaimRequest, ClaimResult, Store } from '../../../src/stores/store.js'

export type GroupFault =
  | 'group in reverse'
  | 'repeated claim not written'
  | 'results shifted'
  | 'group fails together'
  | 'group cut off'
  | 'rejected operation written later'

interface Waiting {
  readonly run: () => MaybePromise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

const MAX_GROUP = 500

/** Returns a store that runs the operations of one task together. */
export function faultyGroups(store: Store<unknown>, fault: GroupFault): Store<unknown> {
  const waiting: Waiting[] = []
  const enqueue = <Result>(run: () => MaybePromise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(runGroup)
      waiting.push({ run, resolve: resolve as Waiting['resolve'], reject })
    })
  const held = new Map<string, { readonly token: string; readonly result: ClaimResult }>()
  const claimedTogether = new Set<string>()
  const runGroup = async () => {
    const group = waiting.splice(0)
    claimedTogether.clear()
    if (fault === 'group in reverse') group.reverse()
    const isCut = (index: number) => fault === 'group cut off' && index >= MAX_GROUP
    const results = await Promise.allSettled(
      group.map(async ({ run }, index) => (isCut(index) ? { status: 'claimed', attempt: 1 } : run())),
    )
    if (fault === 'results shifted' && results.length > 2) results.push(results.shift() as (typeof results)[0])
    const failed = fault === 'group fails together' && results.find(({ status }) => status === 'rejected')
    group.forEach(({ resolve, reject }, index) => {
      const result = failed || results[index]
      if (result?.status === 'fulfilled') resolve(result.value)
      else reject(result?.reason)
    })
  }
  const keepable = <Request extends { readonly retainUntil?: number }>(request: Request): Request => {
    if (Number.isNaN(request.retainUntil)) throw new Error('not a number')
    return request
  }
  let claims = 0
  const claim = (request: ClaimRequest) => {
    const { key, token } = request
    const own = held.get(key)
    const isDecided = fault === 'repeated claim not written' && own?.token === token && claimedTogether.has(key)
    claimedTogether.add(key)
    const claiming = enqueue(async () => {
      if (own && isDecided) return own.result
      const result = await store.claim(keepable(request))
      if (result.status === 'claimed') held.set(key, { token, result })
      return result
    })
    const isRejected = fault === 'rejected operation written later' && request.waitMs === 1 && ++claims % 100 === 0
    return isRejected ? Promise.reject(new Error('overloaded')) : claiming
  }
  return {
    ...store,
    claim,
    complete: (request) => enqueue(async () => store.complete(keepable(request))),
    renew: (request) => enqueue(() => store.renew(request)),
    release: (request) => enqueue(() => store.release(request)),
  }
}
