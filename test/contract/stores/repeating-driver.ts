/** Puts a lossy network in front of a driver's stores, which repeat the operations whose responses are lost. */
import type { MaybePromise } from '../../../src/maybe-promise.js'
import type { Store } from '../../../src/stores/store.js'
import type { StoreDriver } from '../../../src/testing/store-suite/driver.js'
import { createLossyNetwork, type LossyNetwork } from '../../support/lossy-network.js'

/** How a store repeats an operation: correctly, not at all, or with another token. */
export type Repetition = 'correct' | 'missing' | 'with another token'

/** Returns the driver with such stores. */
export function repeatingDriver(driver: StoreDriver, repetition: Repetition): StoreDriver {
  const networks = new WeakMap<Store<unknown>, LossyNetwork>()
  return {
    ...driver,
    async open(options) {
      const store = await driver.open(options)
      const network = createLossyNetwork(() => new Error('the connection was lost'))
      const run = async <Request extends { readonly token: string }, Result>(
        operation: (request: Request) => MaybePromise<Result>,
        request: Request,
      ): Promise<Result> => {
        try {
          return await network.call(async () => operation(request))
        } catch (error) {
          if (repetition === 'missing') throw error
          const token = repetition === 'correct' ? request.token : `${request.token}-again`
          return operation({ ...request, token })
        }
      }
      const repeating: Store<unknown> = {
        ...store,
        claim: (request) => run(store.claim, request),
        renew: (request) => run(store.renew, request),
        complete: (request) => run(store.complete, request),
        release: (request) => run(store.release, request),
      }
      networks.set(repeating, network)
      return repeating
    },
    loseResponses: (store) => (networks.get(store) as LossyNetwork).loseResponses(),
  }
}
