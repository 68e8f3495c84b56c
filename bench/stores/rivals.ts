/** Every store that keeps records outside of the process, beside the bare commands of the very same client. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import type { Store } from '../../src/index.js'
import { postgresStore } from '../../src/stores/postgres/postgres-store.js'
import { redisStore } from '../../src/stores/redis/redis-store.js'
import { type SqliteDatabase, sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'

/** What is measured of a store, whatever its transactions are. */
export type BareStore = Pick<Store, 'claim' | 'complete'>

/** A store, and what its client does without it. Keys are 64 hex digits. */
export interface Rival {
  readonly name: string
  readonly store: BareStore
  /** What `insert` and `update` are, for the tables. */
  readonly write: string
  readonly read: string
  insert(key: string): unknown
  update(key: string): unknown
  find(key: string): unknown
  end(): Promise<void>
}

/** About as long as a record of a store. */
const VALUE = 'processing 1 0 1769860800000 1769860855000 1770206400000\n0f3c5d7e-8a9b-4c1d-9e2f-3a4b5c6d7e8f\n'
/** As long, and not the same: a database may find that there is nothing to write. */
const OTHER_VALUE = VALUE.replace('processing', 'done      ')
const KEEP_MS = 60_000
const REMOVE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`

/** By node-redis. */
export async function nodeRedisRival(url: string, scope: string): Promise<Rival> {
  const client = createClient({ url }).on('error', () => {})
  await client.connect()
  const expiration = { type: 'PX', value: KEEP_MS } as const
  return {
    name: '`redisStore`, node-redis',
    store: redisStore({ client, namespace: scope }),
    write: '`SET … PX`',
    read: '`GET`',
    insert: (key) => client.set(`${scope}:${key}`, VALUE, { expiration, condition: 'NX' }),
    update: (key) => client.set(`${scope}:${key}`, OTHER_VALUE, { expiration, condition: 'XX' }),
    find: (key) => client.get(`${scope}:${key}`),
    async end() {
      await client.eval(REMOVE, { arguments: [`*${scope}*`] })
      client.destroy()
    },
  }
}

/** By ioredis. */
export async function ioredisRival(url: string, scope: string): Promise<Rival> {
  const client = new Redis(url, { maxRetriesPerRequest: 0 })
  return {
    name: '`redisStore`, ioredis',
    store: redisStore({ client, namespace: scope }),
    write: '`SET … PX`',
    read: '`GET`',
    insert: (key) => client.set(`${scope}:${key}`, VALUE, 'PX', KEEP_MS, 'NX'),
    update: (key) => client.set(`${scope}:${key}`, OTHER_VALUE, 'PX', KEEP_MS, 'XX'),
    find: (key) => client.get(`${scope}:${key}`),
    async end() {
      await client.eval(REMOVE, 0, `*${scope}*`)
      client.disconnect()
    },
  }
}

/** By pg. */
export async function postgresRival(connectionString: string, scope: string): Promise<Rival> {
  const pool = new Pool({ connectionString })
  await pool.query(`CREATE SCHEMA ${scope}`)
  await pool.query(`CREATE TABLE ${scope}.bare (key bytea PRIMARY KEY, value text NOT NULL)`)
  const ask = (name: string, text: string) => (key: string, value: string) =>
    pool.query({ name, text, values: value === '' ? [key] : [key, value] })
  const insert = ask('insert', `INSERT INTO ${scope}.bare VALUES (decode($1, 'hex'), $2) ON CONFLICT DO NOTHING`)
  const update = ask('update', `UPDATE ${scope}.bare SET value = $2 WHERE key = decode($1, 'hex')`)
  const find = ask('find', `SELECT value FROM ${scope}.bare WHERE key = decode($1, 'hex')`)
  return {
    name: '`postgresStore`, pg',
    store: postgresStore({ pool, table: `${scope}.deliveries` }),
    write: 'prepared `INSERT` or `UPDATE`',
    read: 'prepared `SELECT`',
    insert: (key) => insert(key, VALUE),
    update: (key) => update(key, OTHER_VALUE),
    find: (key) => find(key, ''),
    async end() {
      await pool.query(`DROP SCHEMA ${scope} CASCADE`)
      await pool.end()
    },
  }
}

/** By `node:sqlite` and by better-sqlite3, each in files of a folder. */
export function sqliteRivals(folder: string): readonly Rival[] {
  return [
    sqliteRival('`sqliteStore`, `node:sqlite`', (file) => new DatabaseSync(join(folder, `node-${file}`))),
    sqliteRival('`sqliteStore`, better-sqlite3', (file) => new BetterSqlite(join(folder, `better-${file}`))),
  ]
}

function sqliteRival(name: string, open: (file: string) => SqliteDatabase & { close(): unknown }): Rival {
  const [database, bare] = [open('store.db'), open('bare.db')]
  // As durable as the store.
  bare.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  bare.exec('CREATE TABLE bare (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  const insert = bare.prepare('INSERT INTO bare VALUES (?, ?) ON CONFLICT DO NOTHING')
  const update = bare.prepare('UPDATE bare SET value = ? WHERE key = ?')
  const find = bare.prepare('SELECT value FROM bare WHERE key = ?')
  return {
    name,
    store: sqliteStore({ database }),
    write: 'prepared `INSERT` or `UPDATE`',
    read: 'prepared `SELECT`',
    insert: (key) => insert.run(key, VALUE),
    update: (key) => update.run(OTHER_VALUE, key),
    find: (key) => find.all(key),
    async end() {
      database.close()
      bare.close()
    },
  }
}
