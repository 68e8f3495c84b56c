/** What the SQLite store's types say: which databases fit, and that a handler's transaction is a synchronous function. */
import type { DatabaseSync } from 'node:sqlite'
import type BetterDatabase from 'better-sqlite3'
import { expectTypeOf, test } from 'vitest'
import { createReceiver } from '../../src/index.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'

declare const nodeDatabase: DatabaseSync
declare const betterDatabase: BetterDatabase.Database
const secret = 'a secret'

test('databases of both libraries fit, and the transaction gets the very database', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    await transaction((tx) => expectTypeOf(tx).toEqualTypeOf<DatabaseSync>())
  })
  createReceiver({ secret, store: sqliteStore({ database: betterDatabase }) }).on('*', async (_, { transaction }) => {
    await transaction((tx) => expectTypeOf(tx).toEqualTypeOf<BetterDatabase.Database>())
  })
})

test('a path is no database', () => {
  // @ts-expect-error: the database is opened by whoever owns it
  sqliteStore({ database: 'app.db' })
})

test('a transaction resolves to what its function returned', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    expectTypeOf(await transaction(() => 42)).toEqualTypeOf<number>()
    expectTypeOf(await transaction(() => ({ rows: [1] }))).toEqualTypeOf<{ rows: number[] }>()
    const nothing = transaction((tx) => {
      tx.exec('SELECT 1')
    })
    expectTypeOf(nothing).toEqualTypeOf<Promise<void>>()
  })
})

test('an async function is no transaction', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    // @ts-expect-error: what it writes after an await would be outside of the transaction
    await transaction(async (tx) => tx.exec('SELECT 1'))
    // @ts-expect-error: a promise by any other name
    await transaction(() => Promise.resolve(1))
    // @ts-expect-error: a promise now and then
    await transaction((tx) => (tx.isOpen ? Promise.resolve(1) : 2))
  })
})
