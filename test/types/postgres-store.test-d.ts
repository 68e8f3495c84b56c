/** Types of `postgresStore`: the pools it accepts, and the client that a transaction passes on. */
import * as neon from '@neondatabase/serverless'
import { Pool, type PoolClient } from 'pg'
import { assertType, expectTypeOf, test } from 'vitest'
import { createReceiver } from '../../src/index.js'
import {
  type PostgresStore,
  type PostgresTransaction,
  postgresStore,
} from '../../src/stores/postgres/postgres-store.js'

test('a Pool of pg is accepted, and a transaction gets a PoolClient of pg', () => {
  const store = postgresStore({ pool: new Pool() })
  expectTypeOf(store).toEqualTypeOf<PostgresStore>()
  createReceiver({ secret: 'x', store }).on('qr.scanned', async (_, { transaction }) => {
    expectTypeOf(transaction).toEqualTypeOf<PostgresTransaction>()
    await transaction(async (tx) => expectTypeOf(tx).toEqualTypeOf<PoolClient>())
  })
})

test('a Pool of @neondatabase/serverless is accepted, and a transaction gets its client', () => {
  const store = postgresStore({ pool: new neon.Pool({ connectionString: 'postgres://localhost' }) })
  createReceiver({ secret: 'x', store }).on('qr.scanned', async (_, { transaction }) => {
    await transaction(async (tx) => {
      assertType<(text: string) => string>(tx.escapeIdentifier)
      await tx.query('SELECT $1::int', [1])
    })
  })
})

test('a client or a connection string is no pool', () => {
  // @ts-expect-error
  postgresStore({ pool: new neon.Client('postgres://localhost') })
  // @ts-expect-error
  postgresStore({ pool: 'postgres://localhost' })
})

test('options accept undefined', () => {
  postgresStore({ pool: new Pool(), table: undefined, namespace: undefined, callLimitMs: undefined, clock: undefined })
})
