/** Random calls of four workers for each of 16 deliveries at once, over D1 and a Durable Object. Some order of the calls must explain the results. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { randomKey } from '../../../../src/testing/store-suite/store-test.js'
import { assertSchedules, type ScheduledStore } from '../../../proof/schedules/stores.js'

const ROUNDS = 20
const TABLE = 'schedules'
const SHIFT =
  'counted_at = counted_at - ?1, lease_until = lease_until - ?1, retain_until = retain_until - ?1 WHERE key = ?2'
/** A unit of time is far longer than a round takes. */
const TIMES = { now: () => Date.now(), unitMs: 60_000, exact: false, keysAtOnce: 16 }
/** Another run would play other schedules and hide a fault that the first one found. */
const ONCE = { retry: 0 }

/** The first call creates the table, in which time passes. */
async function play(tested: ScheduledStore): Promise<number> {
  await tested.stores[0]?.renew({ key: randomKey(), token: 'nobody', leaseMs: 1 })
  return assertSchedules(tested, ROUNDS)
}

test('d1Store has the results that the contract allows', ONCE, async () => {
  const stores = [1, 2].map(() => d1Store({ database: env.DB, table: TABLE }))
  const calls = await play({
    ...TIMES,
    stores,
    pass: (ms, key) => env.DB.prepare(`UPDATE ${TABLE} SET ${SHIFT}`).bind(ms, key).run(),
  })
  expect(calls).toBeGreaterThan(4000)
})

test('durableObjectStore has the results that the contract allows', ONCE, async () => {
  let object: DurableObjectStub | undefined
  const namespace: IdempotencyNamespace = {
    idFromName: (name) => env.IDEMPOTENCY.idFromName(name),
    get(id) {
      object = env.IDEMPOTENCY.get(id as DurableObjectId)
      return object
    },
  }
  const stores = [1, 2].map(() => durableObjectStore({ namespace, name: 'schedules', shards: 1 }))
  const calls = await play({
    ...TIMES,
    stores,
    pass: (ms, key) =>
      runInDurableObject(object as DurableObjectStub, (_, { storage }) =>
        storage.sql.exec(`UPDATE deliveries SET ${SHIFT}`, ms, key),
      ),
  })
  expect(calls).toBeGreaterThan(4000)
})
