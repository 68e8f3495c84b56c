/** The conformance suite on postgresStore, against the real service. */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type PostgresStore, postgresStore } from '../../../src/stores/postgres.js'
import { testStore } from '../../../src/testing/test-store.js'
import { describeWithService } from '../../support/services.js'

describeWithService('postgres', 'postgresStore', (url) => {
  const schema = `govalid_${randomBytes(6).toString('hex')}`
  const table = `${schema}.deliveries`
  const admin = new Pool({ connectionString: url, max: 4 })
  const pools = new Map<unknown, Pool>()

  beforeAll(async () => {
    await admin.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.effects (effect text NOT NULL)`)
  })

  afterAll(async () => {
    await admin.query(`DROP SCHEMA ${schema} CASCADE`)
    await admin.end()
  })

  testStore(
    { describe, test },
    {
      name: 'postgresStore',
      open({ namespace }) {
        const pool = new Pool({ connectionString: url, max: 5 })
        // Of 1,000 callers on five connections the last waits longer than a receiver would.
        const store = postgresStore({ pool, table, namespace, callLimitMs: 20_000 })
        pools.set(store, pool)
        return store
      },
      async close(store) {
        await pools.get(store)?.end()
      },
      async advance(ms) {
        await admin.query(
          `UPDATE ${table} SET lease_until = lease_until - $1, retain_until = retain_until - $1,
          counted_at = counted_at - $1`,
          [ms],
        )
      },
      quarantine: true,
      transaction: {
        async commit(store, request, effect, before) {
          await (store as PostgresStore).transaction(request)(async (tx) => {
            await tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect])
            await before?.()
          })
        },
        async count(effect) {
          const { rowCount } = await admin.query(`SELECT FROM ${schema}.effects WHERE effect = $1`, [effect])
          return rowCount ?? 0
        },
      },
    },
  )
})
