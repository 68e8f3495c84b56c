/** Each store with records outside of the process, together with the bare commands of the same client. */
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

/** The measured methods of a store. They don't depend on its type of transaction. */
export type BareStore = Pick<Store, 'claim' | 'complete'>

/** A store, and the bare commands of its client. Keys are 64 hex digits. */
export interface Rival {
  readonly name: string
  readonly store: BareStore
  /** The name of the commands behind `insert` and `update`, for the table. */
  readonly write: string
  /** The name of the command behind `find`, for the table. */
  readonly read: string
  insert(key: string): unknown
  update(key: string): unknown
  find(key: string): unknown
  end(): Promise<void>
}

/** A value that is about as long as a record of a store. */
const VALUE = 'processing 1 0 1769860800000 1769860855000 1770206400000\n0f3c5d7e-8a9b-4c1d-9e2f-3a4b5c6d7e8f\n'
/** A different value of the same length, because a database may skip the write of an equal value. */
const OTHER_VALUE = VALUE.replace('processing', 'done      ')
const KEEP_MS = 60_000
const REMOVE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`

/** Connects node-redis. */
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

/** Connects ioredis. */
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

/** Connects pg. */
export async function postgresRival(connectionString: string, scope: string): Promise<Rival> {
  const pool = new Pool({ connectionString })
  await pool.query(`CREATE SCHEMA ${scope}`)
  await pool.query(`CREATE TABLE ${scope}.bare (key bytea PRIMARY KEY, value text NOT NULL)`)
  const prepared = (name: string, text: string) => (key: string, value: string) =>
    pool.query({ name, text, values: value === '' ? [key] : [key, value] })
  const insert = prepared('insert', `INSERT INTO ${scope}.bare VALUES (decode($1, 'hex'), $2) ON CONFLICT DO NOTHING`)
  const update = prepared('update', `UPDATE ${scope}.bare SET value = $2 WHERE key = decode($1, 'hex')`)
  const find = prepared('find', `SELECT value FROM ${scope}.bare WHERE key = decode($1, 'hex')`)
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

/** Opens databases with `node:sqlite` in a folder. */
export function nodeSqliteRival(folder: string): Rival {
  return sqliteRival('`sqliteStore`, `node:sqlite`', (file) => new DatabaseSync(join(folder, `node-${file}`)))
}

/** Opens databases with better-sqlite3 in a folder. */
export function betterSqliteRival(folder: string): Rival {
  return sqliteRival('`sqliteStore`, better-sqlite3', (file) => new BetterSqlite(join(folder, `better-${file}`)))
}

function sqliteRival(name: string, open: (file: string) => SqliteDatabase & { close(): unknown }): Rival {
  const [database, bare] = [open('store.db'), open('bare.db')]
  // The same durability as the store.
  bare.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  bare.exec('CREATE TABLE bare (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
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
