/** The transactional stores of the proof: how the killed process opens one and writes an effect, and how the proof observes it. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import { type PostgresTransaction, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { type SqliteTransaction, sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import type { Store } from '../../../src/stores/store.js'

/** The URL of each service, or an empty string if it is missing. */
export type Services = Readonly<Record<'postgres', string>>

/** A worker's store and its two ways to write an effect. */
export interface OpenedStore {
  readonly store: Store<unknown>
  /** Writes an effect in a handler's transaction. `written` is called between the write and the commit. */
  writeWithin(transaction: unknown, effect: string, written: () => void): Promise<unknown>
  /** Writes an effect without a transaction. */
  writeAlone(effect: string): Promise<void>
}

/** The proof's own connection to a store. */
export interface Observer {
  /** Ages every record by `ms` milliseconds. */
  makeLater(ms: number): Promise<void>
  /** Counts how many times each effect was written. */
  countEffects(): Promise<ReadonlyMap<string, number>>
  /** The keys of the deliveries in the store's quarantine. */
  quarantinedKeys(): Promise<ReadonlySet<string>>
  /** Removes everything of the scope. */
  remove(): Promise<void>
}

/** A store of the proof. */
export interface KillStore {
  /** The service that the store needs. */
  readonly needs?: keyof Services
  /**
   * Opens the store in a worker. `scope` has letters, digits and _. `inGroup` is called in the middle of a group: in SQLite between two of its
   * writes, in Postgres once its statement was sent.
   */
  open(scope: string, services: Services, inGroup?: () => void): OpenedStore
  /** Prepares a scope and observes it. */
  observe(scope: string, services: Services): Promise<Observer>
}

/** All stores and their names. */
export const KILL_STORES: Readonly<Record<string, KillStore>> = {
  sqlite: { open: openSqlite, observe: observeSqlite },
  postgres: { needs: 'postgres', open: openPostgres, observe: observePostgres },
}

function fileOf(scope: string): string {
  return join(tmpdir(), `${scope}.db`)
}

function openSqlite(scope: string, _: Services, inGroup = () => {}): OpenedStore {
  const own = new DatabaseSync(fileOf(scope), { timeout: 1000 })
  return {
    store: sqliteStore({ database: watchWrites(new DatabaseSync(fileOf(scope)), inGroup) }),
    writeWithin: (transaction, effect, written) =>
      (transaction as SqliteTransaction<DatabaseSync>)((tx) => {
        tx.prepare('INSERT INTO effects VALUES (?)').run(effect)
        written()
      }),
    async writeAlone(effect) {
      own.prepare('INSERT INTO effects VALUES (?)').run(effect)
    },
  }
}

/** Calls `inGroup` after the second write of a transaction that isn't a handler's own. */
function watchWrites(database: DatabaseSync, inGroup: () => void): DatabaseSync {
  let writes = 0
  const prepare = database.prepare.bind(database)
  database.prepare = (sql) => {
    const statement = prepare(sql)
    const watch = (method: 'run' | 'all') => {
      const call = statement[method].bind(statement) as (...values: unknown[]) => never
      statement[method] = (...values: unknown[]) => {
        const result = call(...values)
        if (/^BEGIN/.test(sql)) writes = 0
        else if (/^SAVEPOINT/.test(sql)) writes = Number.NEGATIVE_INFINITY
        else if (/^(INSERT|UPDATE)/.test(sql) && ++writes === 2) inGroup()
        return result
      }
    }
    watch('run')
    watch('all')
    return statement
  }
  return database
}

async function observeSqlite(scope: string): Promise<Observer> {
  const database = new DatabaseSync(fileOf(scope), { timeout: 5000 })
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE effects (effect TEXT NOT NULL)')
  return {
    async makeLater(ms) {
      const isThere = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'govalid_deliveries'`).get()
      if (!isThere) return
      database.exec(`UPDATE govalid_deliveries SET counted_at = counted_at - ${ms}, retain_until = retain_until - ${ms},
        lease_until = iif(lease_until = 0, 0, lease_until - ${ms})`)
    },
    async countEffects() {
      return counted(database.prepare('SELECT effect, count(*) AS count FROM effects GROUP BY effect').all())
    },
    async quarantinedKeys() {
      const rows = database.prepare('SELECT key FROM govalid_deliveries_quarantine').all() as { key: string }[]
      return new Set(rows.map(({ key }) => key))
    },
    async remove() {
      database.close()
      for (const suffix of ['', '-wal', '-shm']) rmSync(fileOf(scope) + suffix, { force: true })
    },
  }
}

function openPostgres(scope: string, { postgres }: Services, inGroup = () => {}): OpenedStore {
  const pool = new Pool({ connectionString: postgres, max: 6 })
  pool.on('connect', (client) => {
    const { query } = client
    client.query = ((...args: unknown[]) => {
      const response: unknown = Reflect.apply(query, client, args)
      // The statements of groups start with their input.
      if (String((args[0] as { readonly text?: string }).text).startsWith('WITH input')) inGroup()
      return response
    }) as typeof query
  })
  return {
    store: postgresStore({ pool, table: scope }),
    writeWithin: (transaction, effect, written) =>
      (transaction as PostgresTransaction)(async (tx) => {
        await tx.query(`INSERT INTO ${scope}_effects VALUES ($1)`, [effect])
        written()
      }),
    async writeAlone(effect) {
      await pool.query(`INSERT INTO ${scope}_effects VALUES ($1)`, [effect])
    },
  }
}

async function observePostgres(scope: string, { postgres }: Services): Promise<Observer> {
  const pool = new Pool({ connectionString: postgres, max: 1 })
  await pool.query(`CREATE TABLE ${scope}_effects (effect text NOT NULL)`)
  const times = ['lease_until', 'retain_until', 'counted_at']
  return {
    async makeLater(ms) {
      const { rows } = await pool.query('SELECT to_regclass($1) AS found', [scope])
      if (rows[0].found === null) return
      await pool.query(`UPDATE ${scope} SET ${times.map((column) => `${column} = ${column} - $1`).join(', ')}`, [ms])
    },
    async countEffects() {
      return counted((await pool.query(`SELECT effect, count(*) AS count FROM ${scope}_effects GROUP BY effect`)).rows)
    },
    async quarantinedKeys() {
      const { rows } = await pool.query(`SELECT encode(key, 'hex') AS key FROM ${scope}_quarantine`)
      return new Set(rows.map(({ key }: { readonly key: string }) => key))
    },
    async remove() {
      await pool.query(`DROP TABLE IF EXISTS ${scope}, ${scope}_quarantine, ${scope}_effects`)
      await pool.end()
    },
  }
}

function counted(rows: readonly unknown[]): ReadonlyMap<string, number> {
  return new Map((rows as { effect: string; count: unknown }[]).map(({ effect, count }) => [effect, Number(count)]))
}
