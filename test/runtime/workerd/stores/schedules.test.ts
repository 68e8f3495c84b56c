/** Random calls of four workers for each of 16 deliveries at once, over D1 and a Durable Object. Some order of the calls must explain the results. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { type D1DatabaseBinding, d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { randomKey } from '../../../../src/testing/store-suite/store-test.js'
import { assertSchedules, type ScheduledStore } from '../../../proof/schedules/stores.js'
import { createLossyNetwork } from '../../../support/lossy-network.js'

const ROUNDS = 15
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

describe.each([
  ['while every response arrives', Number.POSITIVE_INFINITY],
  // The stores repeat a call once. Fewer calls are made at once, so no call is lost twice.
  ['while one response in a hundred is lost', 100],
])('%s', (_, loseEvery) => {
  const losesResponses = loseEvery < Number.POSITIVE_INFINITY
  const base = { ...TIMES, losesResponses }
  const createNetwork = () => {
    const network = createLossyNetwork(() => new Error('D1_ERROR: Network connection lost.'))
    network.loseEvery(loseEvery)
    return network
  }

  test('d1Store has the results that the contract allows', ONCE, async () => {
    const network = createNetwork()
    const database: D1DatabaseBinding = {
      prepare: (query) => env.DB.prepare(query),
      batch: (statements) => network.call(() => env.DB.batch(statements as D1PreparedStatement[])),
    }
    const calls = await play({
      ...base,
      stores: [1, 2].map(() => d1Store({ database, table: TABLE })),
      pass: (ms, key) => env.DB.prepare(`UPDATE ${TABLE} SET ${SHIFT}`).bind(ms, key).run(),
    })
    expect(calls).toBeGreaterThan(3000)
    expect(network.lost() > 0).toBe(losesResponses)
  })

  test('durableObjectStore has the results that the contract allows', ONCE, async () => {
    const network = createNetwork()
    let object: DurableObjectStub | undefined
    const namespace: IdempotencyNamespace = {
      idFromName: (name) => env.IDEMPOTENCY.idFromName(name),
      get(id) {
        const stub = env.IDEMPOTENCY.get(id as DurableObjectId)
        object = stub
        return { fetch: (url, request) => network.call(() => stub.fetch(url, request)) }
      },
    }
    const calls = await play({
      ...base,
      stores: [1, 2].map(() => durableObjectStore({ namespace, name: 'schedules', shards: 1 })),
      pass: (ms, key) =>
        runInDurableObject(object as DurableObjectStub, (_, { storage }) =>
          storage.sql.exec(`UPDATE deliveries SET ${SHIFT}`, ms, key),
        ),
    })
    expect(calls).toBeGreaterThan(3000)
    expect(network.lost() > 0).toBe(losesResponses)
  })
})
