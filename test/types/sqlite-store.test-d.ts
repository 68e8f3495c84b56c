/** The types of the SQLite store: the databases that fit, and a transaction that takes a synchronous function. */
import type { DatabaseSync } from 'node:sqlite'
import type BetterDatabase from 'better-sqlite3'
import { expectTypeOf, test } from 'vitest'
import { createReceiver } from '../../src/index.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'

declare const nodeDatabase: DatabaseSync
declare const betterDatabase: BetterDatabase.Database
const secret = 'a secret'

test('accepts databases of both libraries, and a transaction receives the same type of database', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    await transaction((tx) => expectTypeOf(tx).toEqualTypeOf<DatabaseSync>())
  })
  createReceiver({ secret, store: sqliteStore({ database: betterDatabase }) }).on('*', async (_, { transaction }) => {
    await transaction((tx) => expectTypeOf(tx).toEqualTypeOf<BetterDatabase.Database>())
  })
})

test('refuses a path as the database', () => {
  // @ts-expect-error: the application opens the database
  sqliteStore({ database: 'app.db' })
})

test('a transaction resolves to the result of its function', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    expectTypeOf(await transaction(() => 42)).toEqualTypeOf<number>()
    expectTypeOf(await transaction(() => ({ rows: [1] }))).toEqualTypeOf<{ rows: number[] }>()
    const nothing = transaction((tx) => {
      tx.exec('SELECT 1')
    })
    expectTypeOf(nothing).toEqualTypeOf<Promise<void>>()
  })
})

test('a transaction refuses an async function', () => {
  createReceiver({ secret, store: sqliteStore({ database: nodeDatabase }) }).on('*', async (_, { transaction }) => {
    // @ts-expect-error: a write after an await would be outside of the transaction
    await transaction(async (tx) => tx.exec('SELECT 1'))
    // @ts-expect-error: a function that returns a promise is async too
    await transaction(() => Promise.resolve(1))
    // @ts-expect-error: a function that sometimes returns a promise
    await transaction((tx) => (tx.isOpen ? Promise.resolve(1) : 2))
  })
})
