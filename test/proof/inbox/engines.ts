/** The inboxes of the proof: how the killed process opens one, and how the proof advances its time. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as bullmq from 'bullmq'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { bullmqInbox } from '../../../src/inboxes/bullmq/bullmq-inbox.js'
import type { Inbox } from '../../../src/inboxes/inbox.js'
import { pgBossInbox } from '../../../src/inboxes/pg-boss/pg-boss-inbox.js'
import { sqliteInbox } from '../../../src/inboxes/sqlite/sqlite-inbox.js'

/** The URL of each service, or an empty string if it is missing. */
export type Services = Readonly<Record<'postgres' | 'redis', string>>

/** The engine of an inbox. */
export interface Engine {
  /** The service that the engine needs. */
  readonly needs?: keyof Services
  /** The transactional store that is used with it, a store of the kill proof. */
  readonly store: 'sqlite' | 'postgres'
  /** Opens the inbox in a process. `scope` has letters, digits and _. */
  open(scope: string, services: Services): Inbox
  /** Opens a separate connection for the proof. */
  observe(scope: string, services: Services): Promise<EngineObserver>
}

/** The proof's own access to an engine. */
export interface EngineObserver {
  /** Frees the jobs of dead processes, as if their leases had expired. No process is alive then. */
  freeLeases(): Promise<void>
  /** Ends every pause between attempts. */
  skipPauses(): Promise<void>
  /** Removes everything of the scope. */
  remove(): Promise<void>
}

/** All engines and their names. */
export const ENGINES: Readonly<Record<string, Engine>> = {
  sqlite: { store: 'sqlite', open: openSqlite, observe: observeSqlite },
  bullmq: { needs: 'redis', store: 'sqlite', open: openBullmq, observe: observeBullmq },
  'pg-boss': { needs: 'postgres', store: 'postgres', open: openPgBoss, observe: observePgBoss },
}

function fileOf(scope: string): string {
  return join(tmpdir(), `${scope}_inbox.db`)
}

function openSqlite(scope: string): Inbox {
  return sqliteInbox({ database: new DatabaseSync(fileOf(scope)), firstPauseMs: 50, pollMs: 50 })
}

async function observeSqlite(scope: string): Promise<EngineObserver> {
  const database = new DatabaseSync(fileOf(scope), { timeout: 5000 })
  const isThere = () => database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'govalid_inbox'`).get()
  return {
    async freeLeases() {
      if (isThere()) database.exec('UPDATE govalid_inbox SET due_at = 0')
    },
    async skipPauses() {
      if (isThere()) database.exec('UPDATE govalid_inbox SET due_at = 0 WHERE lease_until = 0')
    },
    async remove() {
      database.close()
      for (const suffix of ['', '-wal', '-shm']) rmSync(fileOf(scope) + suffix, { force: true })
    },
  }
}

function openBullmq(scope: string, { redis }: Services): Inbox {
  const { hostname: host, port } = new URL(redis)
  return bullmqInbox({ bullmq, connection: { host, port: Number(port || 6379) }, queue: scope, firstPauseMs: 50 })
}

async function observeBullmq(scope: string, { redis }: Services): Promise<EngineObserver> {
  const client = new Redis(redis)
  const { hostname: host, port } = new URL(redis)
  const connection = { host, port: Number(port || 6379) }
  const queue = new bullmq.Queue(scope, { connection })
  return {
    async freeLeases() {
      const locks = await client.keys(`bull:${scope}:*:lock`)
      if (locks.length > 0) await client.del(locks)
      // BullMQ frees a job without a lock at the second check.
      await client.del(`bull:${scope}:stalled-check`)
      const checker = new bullmq.Worker(scope, undefined, {
        ...{ connection, autorun: false, stalledInterval: 100, maxStalledCount: 1_000_000 },
      })
      await checker.startStalledCheckTimer()
      await new Promise((resolve) => setTimeout(resolve, 400))
      await checker.close()
    },
    skipPauses: () => queue.promoteJobs(),
    async remove() {
      await queue.obliterate({ force: true })
      await queue.close()
      client.disconnect()
    },
  }
}

function openPgBoss(scope: string, { postgres }: Services): Inbox {
  const boss = new PgBoss({ connectionString: postgres, schema: scope, max: 4, superviseIntervalSeconds: 1 })
  boss.on('error', () => {})
  return pgBossInbox({ boss, schema: scope, firstPauseSeconds: 1, pollSeconds: 0.5 })
}

async function observePgBoss(scope: string, { postgres }: Services): Promise<EngineObserver> {
  const pool = new Pool({ connectionString: postgres, max: 1 })
  const update = async (change: string) => {
    const { rows } = await pool.query('SELECT to_regclass($1) AS found', [`${scope}.job`])
    if (rows[0].found !== null) await pool.query(`UPDATE ${scope}.job SET ${change}`)
  }
  return {
    freeLeases: () => update(`heartbeat_on = now() - interval '5 min' WHERE state = 'active'`),
    skipPauses: () => update(`start_after = now() - interval '1 s' WHERE state = 'retry'`),
    async remove() {
      await pool.query(`DROP SCHEMA IF EXISTS ${scope} CASCADE`)
      await pool.end()
    },
  }
}
