/** Runs the conformance suite on durableObjectStore with real objects. Closing a store ends the instance of every object. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, test } from 'vitest'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { type StoreDriver, testStore } from '../../../../src/testing/index.js'
import { createLossyNetwork, type LossyNetwork } from '../../../support/lossy-network.js'
import { receiverSuite } from '../../../support/receiver-suite.js'

const { IDEMPOTENCY } = env
/** The objects of the current test, by name. */
const objects = new Map<string, DurableObjectId>()
beforeEach(() => objects.clear())

const networks = new Map<unknown, LossyNetwork>()

function namespaceBehind(network: LossyNetwork): IdempotencyNamespace {
  return {
    idFromName(name) {
      const id = IDEMPOTENCY.idFromName(name)
      objects.set(name, id)
      return id
    },
    get(id) {
      const object = IDEMPOTENCY.get(id as DurableObjectId)
      return { fetch: (url, request) => network.call(() => object.fetch(url, request)) }
    },
  }
}

const driver: StoreDriver = {
  name: 'durableObjectStore',
  // One object per namespace is the hardest case and the fastest to advance in time. See object-shards.test.ts for more objects.
  open({ namespace: name }) {
    const network = createLossyNetwork(() => new Error('Network connection lost.'))
    const store = durableObjectStore({ namespace: namespaceBehind(network), name, shards: 1 })
    networks.set(store, network)
    return store
  },
  close: () => abortAllDurableObjects(),
  loseResponses: (store) => (networks.get(store) as LossyNetwork).loseResponses(),
  async advance(ms) {
    for (const id of objects.values()) {
      await runInDurableObject(IDEMPOTENCY.get(id), (_, { storage }) => shift(storage.sql, ms))
    }
  },
  quarantine: true,
}
testStore({ describe, test }, driver)
receiverSuite(driver)

function shift(sql: SqlStorage, ms: number): void {
  const times = 'counted_at = counted_at - ?1, lease_until = lease_until - ?1, retain_until = retain_until - ?1'
  sql.exec(`UPDATE deliveries SET ${times}`, ms)
}
