/** Opens the real stores that schedules are played on. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { memoryStore } from '../../../src/index.js'
import { postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock } from '../../../src/testing/index.js'
import { MAKE_LATER, REMOVE } from '../../support/redis.js'
import { makeLater } from '../../support/sqlite.js'
import { createTcpProxy } from '../../support/tcp-proxy.js'
import type { ScheduledStore } from './stores.js'

/** A store that is closed after the proof. */
export interface OpenedStore extends ScheduledStore {
  close(): Promise<void>
  /** How many responses were lost. */
  lost?(): number
}

/** One minute, which is far longer than a schedule takes on a real clock. */
const UNIT_MS = 60_000
const KEYS_AT_ONCE = 16

/** The memory store on a fixed clock. */
export function openMemory(): OpenedStore {
  const clock = fixedClock(1000)
  return {
    stores: [memoryStore({ clock })],
    now: () => clock.now(),
    unitMs: 1,
    exact: true,
    keysAtOnce: 1,
    pass: (ms) => clock.set(clock.now() + ms),
    close: async () => {},
  }
}

const onRealClock = { now: () => Date.now(), unitMs: UNIT_MS, exact: false, keysAtOnce: KEYS_AT_ONCE }

/** Two SQLite connections to one file. */
export function openSqlite(): OpenedStore {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-schedules-'))
  const open = () => new DatabaseSync(join(folder, 'deliveries.db'))
  const [one, other, observer] = [open(), open(), open()]
  observer.exec('PRAGMA busy_timeout = 5000')
  return {
    ...onRealClock,
    stores: [one, other].map((database) => sqliteStore({ database })),
    pass: (ms, key) => hasTable(observer) && makeLater(observer, ms, key),
    clear: () => hasTable(observer) && observer.exec('DELETE FROM govalid_deliveries'),
    async close() {
      for (const database of [one, other, observer]) database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function hasTable(database: DatabaseSync): boolean {
  return database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'govalid_deliveries'`).get() !== undefined
}

/** Two Redis clients of one server. The stores use `storeUrl`. */
export function openRedis(url: string, storeUrl = url): OpenedStore {
  const namespace = `schedules-${randomBytes(6).toString('hex')}`
  const open = (to: string) => new Redis(to, { maxRetriesPerRequest: 0, retryStrategy: () => 20 }).on('error', () => {})
  const [one, other, observer] = [open(storeUrl), open(storeUrl), open(url)]
  return {
    ...onRealClock,
    stores: [one, other].map((client) => redisStore({ client, namespace })),
    pass: (ms, key) => observer.eval(MAKE_LATER, 0, `govalid:*${namespace}*${key}*`, String(ms)),
    clear: () => observer.eval(REMOVE, 0, `govalid:*${namespace}*`),
    async close() {
      await observer.eval(REMOVE, 0, `govalid:*${namespace}*`)
      for (const client of [one, other, observer]) client.disconnect()
    },
  }
}

/** Two Postgres stores on one pool. The stores use `storeUrl`. */
export function openPostgres(url: string, storeUrl = url): OpenedStore {
  const table = `govalid_schedules_${randomBytes(6).toString('hex')}`
  const open = (connectionString: string) => new Pool({ connectionString, max: 6 }).on('error', () => {})
  const [pool, observer] = [open(storeUrl), open(url)]
  const columns = ['lease_until', 'retain_until', 'counted_at']
  const later = `UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - $1`).join(', ')} WHERE key = decode($2, 'hex')`
  const ifThere = async (statement: string, values: readonly unknown[] = []) => {
    const { rows } = await observer.query('SELECT to_regclass($1) AS found', [table])
    if (rows[0].found !== null) await observer.query(statement, [...values])
  }
  return {
    ...onRealClock,
    stores: [postgresStore({ pool, table }), postgresStore({ pool, table })],
    pass: (ms, key) => ifThere(later, [ms, key]),
    clear: () => ifThere(`DELETE FROM ${table}`),
    async close() {
      await pool.end()
      await observer.query(`DROP TABLE IF EXISTS ${table}, ${table}_quarantine`)
      await observer.end()
    },
  }
}

/** The stores of `open` behind a network that loses one response in twenty. The drivers connect again and repeat the calls. */
export async function openLossy(
  open: (url: string, storeUrl: string) => OpenedStore,
  url: string,
): Promise<OpenedStore> {
  const network = await createTcpProxy(url)
  network.loseEvery(20)
  const opened = open(url, network.url)
  const close = () => opened.close().finally(() => network.close())
  return { ...opened, losesResponses: true, lost: network.lost, close }
}
