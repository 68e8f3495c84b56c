/** The stores of the frozen processes: how a process opens a store, and how a test looks at its records. */
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import { type PostgresTransaction, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { type SqliteTransaction, sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import type { Store } from '../../../src/stores/store.js'

/** A store as a process uses it. */
export interface OpenedStore {
  readonly store: Store<unknown>
  /** Writes an effect in a handler's transaction. */
  writeWithin(transaction: unknown, effect: string): Promise<unknown>
}

/** Looks at a store over a separate connection. */
export interface Observer {
  /** Lets `ms` milliseconds pass for every record. */
  makeLater(ms: number): Promise<void>
  /** Returns every record and every entry of the quarantine, with all their fields. */
  snapshot(): Promise<{ readonly records: readonly unknown[]; readonly quarantine: readonly unknown[] }>
  /** Returns the effects that were committed. */
  effects(): Promise<readonly string[]>
  close(): Promise<void>
}

/** A store of the test. */
export interface FrozenStore {
  open(scope: string): OpenedStore
  observe(scope: string): Promise<Observer>
}

/** The stores by name. The scope of SQLite is the path of a file, and the scope of Postgres is a URL whose fragment names a schema. */
export const FROZEN_STORES: Readonly<Record<string, FrozenStore>> = {
  sqlite: { open: openSqlite, observe: observeSqlite },
  postgres: { open: openPostgres, observe: observePostgres },
}

function openSqlite(file: string): OpenedStore {
  return {
    store: sqliteStore({ database: new DatabaseSync(file) }),
    writeWithin: (transaction, effect) =>
      (transaction as SqliteTransaction<DatabaseSync>)((tx) => {
        tx.prepare('INSERT INTO effects VALUES (?)').run(effect)
      }),
  }
}

async function observeSqlite(file: string): Promise<Observer> {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE effects (effect TEXT NOT NULL)')
  const rows = (sql: string) => database.prepare(sql).all()
  return {
    async makeLater(ms) {
      database.exec(`UPDATE govalid_deliveries SET counted_at = counted_at - ${ms}, retain_until = retain_until - ${ms},
        lease_until = iif(lease_until = 0, 0, lease_until - ${ms})`)
    },
    snapshot: async () => ({
      records: rows('SELECT * FROM govalid_deliveries ORDER BY key'),
      quarantine: rows('SELECT * FROM govalid_deliveries_quarantine ORDER BY key'),
    }),
    effects: async () => rows('SELECT effect FROM effects').map(({ effect }) => String(effect)),
    close: async () => database.close(),
  }
}

function splitScope(scope: string): { readonly connectionString: string; readonly schema: string } {
  const [connectionString = '', schema = ''] = scope.split('#')
  return { connectionString, schema }
}

function openPostgres(scope: string): OpenedStore {
  const { connectionString, schema } = splitScope(scope)
  const pool = new Pool({ connectionString, max: 5 })
  return {
    store: postgresStore({ pool, table: `${schema}.deliveries` }),
    writeWithin: (transaction, effect) =>
      (transaction as PostgresTransaction)((tx) => tx.query(`INSERT INTO ${schema}.effects VALUES ($1)`, [effect])),
  }
}

async function observePostgres(scope: string): Promise<Observer> {
  const { connectionString, schema } = splitScope(scope)
  const pool = new Pool({ connectionString, max: 2 })
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(`CREATE TABLE ${schema}.effects (effect text NOT NULL)`)
  const rows = async (sql: string) => (await pool.query(sql)).rows
  return {
    async makeLater(ms) {
      const columns = ['lease_until', 'retain_until', 'counted_at'].map((name) => `${name} = ${name} - ${ms}`)
      await pool.query(`UPDATE ${schema}.deliveries SET ${columns.join(', ')}`)
    },
    snapshot: async () => ({
      records: await rows(`SELECT * FROM ${schema}.deliveries ORDER BY key`),
      quarantine: await rows(`SELECT * FROM ${schema}.deliveries_quarantine ORDER BY key`),
    }),
    effects: async () => (await rows(`SELECT effect FROM ${schema}.effects`)).map(({ effect }) => String(effect)),
    async close() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}
