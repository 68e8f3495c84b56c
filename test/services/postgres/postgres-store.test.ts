/** Runs the conformance suite on postgresStore with a real Postgres. */
import type { Pool } from 'pg'
import { describe, test } from 'vitest'
import { type PostgresStore, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { type StoreDriver, testStore } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { receiverSuite } from '../../support/receiver-suite.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

interface Opened {
  readonly pool: Pool
  readonly network: TcpProxy
}

describeWithService('postgres', 'postgresStore', (url) => {
  const { schema, table, pool: createPool, age, countEffects } = postgresScene(url)
  const opened = new Map<unknown, Opened>()

  const driver: StoreDriver = {
    name: 'postgresStore',
    async open({ namespace }) {
      const network = await createTcpProxy(url)
      const pool = createPool({ connectionString: network.url })
      // With 1,000 callers on five connections, the last one waits longer than a receiver would.
      const store = postgresStore({ pool, table, namespace, callLimitMs: 20_000 })
      opened.set(store, { pool, network })
      return store
    },
    async close(store) {
      await opened.get(store)?.pool.end()
      await opened.get(store)?.network.close()
    },
    loseResponses: (store) => (opened.get(store) as Opened).network.loseResponses(),
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
