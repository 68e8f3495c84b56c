/** The shared stores of the proof. Each process opens its own connection. Add a store as one more entry. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import type { Store } from '../../../src/stores/store.js'
import { getThenSetStore } from './get-then-set-store.js'

/** The URL of each service, or an empty string if it is missing. */
export type Services = Readonly<Record<'postgres' | 'redis', string>>

/** A shared store. */
export interface ProofStore {
  /** The service that the store needs. */
  readonly needs?: keyof Services
  /** Whether the store is the control, which processes deliveries more than once and must be caught. */
  readonly control?: boolean
  /** Opens the store in this process. Stores of the same `scope` (letters, digits and _) share their records. */
  open(scope: string, services: Services): Promise<{ readonly store: Store<unknown>; close(): Promise<void> | void }>
  /** Removes everything of a scope. */
  remove(scope: string, services: Services): Promise<void> | void
}

const POOL_SIZE = 8

/** All stores and their names. */
export const PROOF_STORES: Readonly<Record<string, ProofStore>> = {
  postgres: {
    needs: 'postgres',
    async open(scope, { postgres }) {
      const pool = new Pool({ connectionString: postgres, max: POOL_SIZE })
      return { store: postgresStore({ pool, table: scope }), close: () => pool.end() }
    },
    remove: (scope, { postgres }) => dropTables(postgres, [scope, `${scope}_quarantine`]),
  },
  ioredis: {
    needs: 'redis',
    async open(scope, { redis }) {
      const client = new Redis(redis, { maxRetriesPerRequest: 0 })
      return { store: redisStore({ client, namespace: scope }), close: () => client.disconnect() }
    },
    remove: removeKeys,
  },
  'node-redis': {
    needs: 'redis',
    async open(scope, { redis }) {
      const client = createClient({ url: redis, disableOfflineQueue: true }).on('error', () => {})
      await client.connect()
      return { store: redisStore({ client, namespace: scope }), close: () => client.destroy() }
    },
    remove: removeKeys,
  },
  sqlite: {
    async open(scope) {
      const database = new DatabaseSync(fileOf(scope))
      return { store: sqliteStore({ database }), close: () => database.close() }
    },
    remove(scope) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(fileOf(scope) + suffix, { force: true })
    },
  },
  'get-then-set': {
    needs: 'postgres',
    control: true,
    async open(scope, { postgres }) {
      const pool = new Pool({ connectionString: postgres, max: POOL_SIZE })
      return { store: await getThenSetStore(pool, scope), close: () => pool.end() }
    },
    remove: (scope, { postgres }) => dropTables(postgres, [scope]),
  },
}

function fileOf(scope: string): string {
  return join(tmpdir(), `${scope}.db`)
}

async function removeKeys(scope: string, { redis }: Services): Promise<void> {
  const client = new Redis(redis)
  for await (const keys of client.scanStream({ match: `govalid:*${scope}*`, count: 1000 })) {
    if ((keys as string[]).length > 0) await client.del(keys as string[])
  }
  client.disconnect()
}

async function dropTables(connectionString: string, tables: readonly string[]): Promise<void> {
  const pool = new Pool({ connectionString, max: 1 })
  await pool.query(`DROP TABLE IF EXISTS ${tables.join(', ')}`)
  await pool.end()
}
