/** Runs the conformance suite on d1Store with a real D1. */
import { env } from 'cloudflare:workers'
import { describe, test } from 'vitest'
import { type D1DatabaseBinding, type D1Store, d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { type StoreDriver, testStore } from '../../../../src/testing/index.js'
import { createLossyNetwork, type LossyNetwork } from '../../../support/lossy-network.js'
import { receiverSuite } from '../../../support/receiver-suite.js'
import { createEffects } from './effects.js'

const TABLE = 'conformance'
const effects = createEffects(env.DB)

const networks = new Map<unknown, LossyNetwork>()

const driver: StoreDriver = {
  name: 'd1Store',
  open({ namespace }) {
    const network = createLossyNetwork(() => new Error('D1_ERROR: Network connection lost.'))
    const database: D1DatabaseBinding = {
      prepare: (query) => env.DB.prepare(query),
      batch: (statements) => network.call(() => env.DB.batch(statements as D1PreparedStatement[])),
    }
    const store = d1Store({ database, table: TABLE, namespace })
    networks.set(store, network)
    return store
  },
  loseResponses: (store) => (networks.get(store) as LossyNetwork).loseResponses(),
  async advance(ms) {
    const shift = 'counted_at = counted_at - ?1, lease_until = lease_until - ?1, retain_until = retain_until - ?1'
    await env.DB.prepare(`UPDATE ${TABLE} SET ${shift}`).bind(ms).run()
  },
  quarantine: true,
  transaction: {
    async commit(store, request, effect, before) {
      await before?.()
      const statement = await effects.statement(effect)
      await (store as D1Store).transaction(request)((tx) => tx.add(statement))
    },
    count: effects.count,
  },
}
testStore({ describe, test }, driver)
receiverSuite(driver)
