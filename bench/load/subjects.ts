/** The subjects of the load benchmarks: no store, every durable store and inbox of a Node server, and the same deduplication by hand. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as bullmq from 'bullmq'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { bullmqInbox } from '../../src/inboxes/bullmq/bullmq-inbox.js'
import { pgBossInbox } from '../../src/inboxes/pg-boss/pg-boss-inbox.js'
import { sqliteInbox } from '../../src/inboxes/sqlite/sqlite-inbox.js'
import type { Inbox, Store } from '../../src/index.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'
import { ioredisRival, nodeRedisRival, nodeSqliteRival, postgresRival, type Rival } from '../stores/rivals.js'

/** Where a subject keeps its records. */
export interface Place {
  /** Separates the records of this subject. A plain name. */
  readonly scope: string
  /** A folder for files. */
  readonly folder: string
  readonly redis: string | undefined
  readonly postgres: string | undefined
}

/** An open subject. */
export interface Opened {
  /** By hand: inserts a key. Resolves to the client's reply. */
  readonly insert?: (key: string) => unknown
  readonly store?: Store | false
  readonly inbox?: Inbox
  /** Removes the records and closes the connections, after the receiver. */
  end(): Promise<void>
}

/** A subject. */
export interface Subject {
  readonly kind: 'no store' | 'by hand' | 'store' | 'inbox'
  /** The name of the same deduplication by hand. */
  readonly byHand?: string
  /** The throughput that the store aims at, as a multiple of `byHand`. */
  readonly aim?: number
  readonly needs?: 'redis' | 'postgres'
  open(place: Place): Opened | Promise<Opened>
}

const SQLITE = 'SQLite by hand: `INSERT … ON CONFLICT`'
const POSTGRES = 'Postgres by hand: `INSERT … ON CONFLICT`'
const NODE_REDIS = 'node-redis by hand: `SET … NX`'
const IOREDIS = 'ioredis by hand: `SET … NX`'
const nodeSqlite = async ({ folder }: Place) => nodeSqliteRival(folder)
const nodeRedis = ({ redis = '', scope }: Place) => nodeRedisRival(redis, scope)
const ioredis = ({ redis = '', scope }: Place) => ioredisRival(redis, scope)
const postgres = ({ postgres: url = '', scope }: Place) => postgresRival(url, scope)

/** The subjects, by their name in the tables. */
export const SUBJECTS: Readonly<Record<string, Subject>> = {
  'no store': { kind: 'no store', open: () => ({ store: false, end: async () => {} }) },
  [SQLITE]: { kind: 'by hand', open: byHand(nodeSqlite) },
  '`sqliteStore`': { kind: 'store', byHand: SQLITE, aim: 3, open: ours(nodeSqlite) },
  [POSTGRES]: { kind: 'by hand', needs: 'postgres', open: byHand(postgres) },
  '`postgresStore`': { kind: 'store', byHand: POSTGRES, aim: 1.4, needs: 'postgres', open: ours(postgres) },
  [NODE_REDIS]: { kind: 'by hand', needs: 'redis', open: byHand(nodeRedis) },
  '`redisStore`, node-redis': { kind: 'store', byHand: NODE_REDIS, aim: 1, needs: 'redis', open: ours(nodeRedis) },
  [IOREDIS]: { kind: 'by hand', needs: 'redis', open: byHand(ioredis) },
  '`redisStore`, ioredis': { kind: 'store', byHand: IOREDIS, aim: 1, needs: 'redis', open: ours(ioredis) },
  '`sqliteInbox`': { kind: 'inbox', open: openSqliteInbox },
  '`bullmqInbox`': { kind: 'inbox', needs: 'redis', open: openBullmqInbox },
  '`pgBossInbox`': { kind: 'inbox', needs: 'postgres', open: openPgBossInbox },
}

function byHand(open: (place: Place) => Promise<Rival>): Subject['open'] {
  return async (place) => {
    const { insert, end } = await open(place)
    return { insert, end }
  }
}

function ours(open: (place: Place) => Promise<Rival>): Subject['open'] {
  return async (place) => {
    const { store, end } = await open(place)
    // A rival's type has only the methods that are measured by themselves.
    return { store: store as Store, end }
  }
}

/** All inboxes process with a SQLite store, so that they differ only in how they accept. */
function openStore({ folder }: Place) {
  const database = new DatabaseSync(join(folder, 'store.db'))
  // The handlers use no transaction.
  return { store: sqliteStore({ database }) as unknown as Store, close: () => database.close() }
}

function openSqliteInbox(place: Place): Opened {
  const { store, close } = openStore(place)
  const database = new DatabaseSync(join(place.folder, 'inbox.db'))
  const end = async () => {
    database.close()
    close()
  }
  return { store, inbox: sqliteInbox({ database }), end }
}

function openBullmqInbox(place: Place): Opened {
  const { store, close } = openStore(place)
  const { hostname: host, port } = new URL(place.redis ?? '')
  const connection = { host, port: Number(port || 6379) }
  return {
    store,
    inbox: bullmqInbox({ bullmq, connection, queue: place.scope }),
    async end() {
      const queue = new bullmq.Queue(place.scope, { connection })
      await queue.obliterate({ force: true })
      await queue.close()
      close()
    },
  }
}

async function openPgBossInbox(place: Place): Promise<Opened> {
  const { store, close } = openStore(place)
  const boss = new PgBoss({ connectionString: place.postgres ?? '', schema: place.scope })
  boss.on('error', () => {})
  await boss.start()
  return {
    store,
    inbox: pgBossInbox({ boss, schema: place.scope, pollSeconds: 0.5 }),
    async end() {
      await boss.stop({ graceful: false })
      const pool = new Pool({ connectionString: place.postgres, max: 1 })
      await pool.query(`DROP SCHEMA ${place.scope} CASCADE`)
      await pool.end()
      close()
    },
  }
}
