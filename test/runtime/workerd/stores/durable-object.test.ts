/** The Durable Object store keeps the store contract, in real objects; the end of a store is the end of every object's instance. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, test } from 'vitest'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { type StoreDriver, testStore } from '../../../../src/testing/index.js'
import { receiverSuite } from '../../../support/receiver-suite.js'

const { IDEMPOTENCY } = env
/** The objects of the running test, by name. */
const objects = new Map<string, DurableObjectId>()
beforeEach(() => objects.clear())

const namespace: IdempotencyNamespace = {
  idFromName(name) {
    const id = IDEMPOTENCY.idFromName(name)
    objects.set(name, id)
    return id
  },
  get: (id) => IDEMPOTENCY.get(id as DurableObjectId),
}

const driver: StoreDriver = {
  name: 'durableObjectStore',
  // One object a namespace is the hardest case, and the fastest to move on in time; more of them: see sharding.test.ts.
  open: ({ namespace: name }) => durableObjectStore({ namespace, name, shards: 1 }),
  close: () => abortAllDurableObjects(),
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
