/** Runs the conformance suite on postgresStore with a real Postgres. */
import type { Pool } from 'pg'
import { describe, test } from 'vitest'
import { type PostgresStore, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { type StoreDriver, testStore } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { receiverSuite } from '../../support/receiver-suite.js'
import { describeWithService } from '../../support/services.js'

describeWithService('postgres', 'postgresStore', (url) => {
  const { schema, table, pool: createPool, age, countEffects } = postgresScene(url)
  const pools = new Map<unknown, Pool>()

  const driver: StoreDriver = {
    name: 'postgresStore',
    open({ namespace }) {
      const pool = createPool()
      // With 1,000 callers on five connections, the last one waits longer than a receiver would.
      const store = postgresStore({ pool, table, namespace, callLimitMs: 20_000 })
      pools.set(store, pool)
      return store
    },
    async close(store) {
      await pools.get(store)?.end()
    },
    advance: age,
    quarantine: true,
    transaction: {
      async commit(store, request, effect, before) {
        await (store as PostgresStore).transaction(request)(async (tx) => {
          await tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect])
          await before?.()
        })
      },
      count: countEffects,
    },
  }
  testStore({ describe, test }, driver)
  receiverSuite(driver)
})
