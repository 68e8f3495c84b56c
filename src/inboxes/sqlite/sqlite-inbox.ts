/**
 * Inbox driver for SQLite on one machine: a durable spool, processed by one process or by several that share the file.
 * It needs its own connection, to the store's file or to another one. Due times follow the machine's clock, which all processes share.
 */
import { type Clock, runSoon, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { createConnection, type SqliteConnection } from '../../stores/sqlite/connection.js'
import type { DatabaseUser } from '../../stores/sqlite/database-errors.js'
import { createSqliteQuarantine, quarantineTable } from '../../stores/sqlite/quarantine.js'
import type { SqlStatement } from '../../stores/sqlite/record-statements.js'
import type { SqliteDatabase, SqliteRunner } from '../../stores/sqlite/runner.js'
import type { Quarantine } from '../../stores/store.js'
import type { AcceptedDelivery, Inbox, InboxProcessor, InboxStatus } from '../inbox.js'
import { readJob, type SpoolStatements, spoolStatements } from './spool.js'
import { createWorker, LEASE_MS, type Spool, type Worker, type WorkerLimits } from './worker.js'

/** The options of `sqliteInbox`. */
export interface SqliteInboxOptions {
  /**
   * A `DatabaseSync` of `node:sqlite` or a `Database` of `better-sqlite3`: a connection that nothing else uses. The inbox switches it to
   * write-ahead logging, `synchronous = FULL` and `busy_timeout = 0`.
   */
  readonly database: SqliteDatabase
  /** The table of waiting deliveries. The quarantine's table is called `<table>_quarantine`. Default: `'govalid_inbox'`. */
  readonly table?: string | undefined
  /** The maximum number of deliveries that this process handles at once. Default: 10. */
  readonly concurrency?: number | undefined
  /** The number of attempts before a failing delivery is quarantined. Default: 20, which take ten and a half hours. */
  readonly attempts?: number | undefined
  /** The pause before the second attempt, in milliseconds. It doubles up to an hour, plus or minus a fifth. Default: 5,000. */
  readonly firstPauseMs?: number | undefined
  /** The interval between polls for deliveries that other processes accepted, in milliseconds. Default: 1,000. */
  readonly pollMs?: number | undefined
  /**
   * Whether waiting for deliveries keeps the process running. Set it in a process that only processes deliveries and has no server.
   * Default: `false`.
   */
  readonly keepAlive?: boolean | undefined
  /** The clock, for tests. */
  readonly clock?: Clock | undefined
}

/** An inbox in SQLite, with its own quarantine. */
export interface SqliteInbox extends Inbox {
  start(process: InboxProcessor): void
  stop(): Promise<void>
  status(): Promise<InboxStatus>
  /** Keeps the deliveries that failed their last attempt. Used if neither the receiver nor its store has a quarantine. */
  readonly quarantine: Quarantine
}

const USER: DatabaseUser = { name: 'sqliteInbox', page: 'docs/inboxes/sqlite.md' }
/** More waiting writes than fit in one group. */
const FLOOD = 256
/** As long as the receiver waits for its inbox. */
const WAIT_MS = 4500
const PROBE: AcceptedDelivery = { key: 'probe', rawBody: new Uint8Array(1), headers: {}, receivedAt: 0 }
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Creates an inbox in SQLite and its missing tables.
 *
 * @throws WebhookError `option_invalid` if `database` isn't an open database of either library or SQLite is older than 3.42, `table` isn't a
 * plain name, or a number isn't a whole number above 0. `store_unsuitable` if the database can't be written, has no write-ahead logging, or
 * has foreign tables of the same names.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite'
 * import { createReceiver } from 'govalid-webhooks'
 * import { sqliteInbox } from 'govalid-webhooks/inboxes/sqlite'
 * import { sqliteStore } from 'govalid-webhooks/stores/sqlite'
 *
 * const store = sqliteStore({ database: new DatabaseSync('webhooks.db') })
 * const inbox = sqliteInbox({ database: new DatabaseSync('webhooks.db') })
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store, inbox }).on('qr.scanned', async (event) => {
 *   await fetch('https://example.com/slow', { method: 'POST', body: JSON.stringify(event.data) })
 * })
 * ```
 */
export function sqliteInbox(options: SqliteInboxOptions): SqliteInbox {
  const { database, table = 'govalid_inbox', clock = systemClock } = options
  const limits = readLimits(options)
  if (!TABLE.test(table)) {
    const message = `table must be 1 to 61 letters, digits and underscores and must not start with a digit; it is ${JSON.stringify(table)}. See docs/inboxes/sqlite.md.`
    throw new WebhookError('option_invalid', message)
  }
  const statements = spoolStatements(table)
  const quarantineName = `${table}_quarantine`
  const spoolTable = { name: table, schema: statements.schema, probe: statements.accept(PROBE, 0) }
  const connection = createConnection({
    database,
    tables: [spoolTable, quarantineTable(quarantineName)],
    user: USER,
    clock,
  })
  const spool = createSpool(connection, statements, clock)
  let worker: Worker | undefined
  return {
    quarantine: createSqliteQuarantine(connection, quarantineName, 'inbox'),
    async accept(delivery) {
      await spool.accept(delivery)
      // The response leaves first.
      runSoon(clock, () => worker?.wake())
    },
    start(process) {
      worker ??= createWorker(clock, limits, spool, process)
      worker.wake()
    },
    async stop() {
      await worker?.stop()
      worker = undefined
    },
    status: () => spool.count(),
  }
}

function readLimits(options: SqliteInboxOptions): WorkerLimits {
  const { concurrency = 10, attempts = 20, firstPauseMs = 5000, pollMs = 1000, keepAlive = false } = options
  const numbers = { concurrency, attempts, firstPauseMs, pollMs }
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value > 0) continue
    const message = `${name} must be a whole number above 0; it is ${String(value)}. See docs/inboxes/sqlite.md.`
    throw new WebhookError('option_invalid', message)
  }
  return { ...numbers, keepAlive }
}

interface OpenSpool extends Spool {
  accept(delivery: AcceptedDelivery): Promise<void>
  count(): Promise<InboxStatus>
}

function createSpool(connection: SqliteConnection, statements: SpoolStatements, clock: Clock): OpenSpool {
  const write = async <Result>(isUrgent: boolean, run: (runner: SqliteRunner) => Result) =>
    connection.write({ waitMs: WAIT_MS, isUrgent, run })
  const finish = (statement: SqlStatement) => write(true, (runner) => void runner.run(statement))
  return {
    isFlooded: () => connection.waiting() > FLOOD,
    accept(delivery) {
      const statement = statements.accept(delivery, clock.now())
      return write(false, (runner) => void runner.run(statement))
    },
    take: (count) => write(false, (runner) => runner.rows(statements.take(count, clock.now(), LEASE_MS)).map(readJob)),
    renew: (job) => finish(statements.renew(job, clock.now() + LEASE_MS)),
    finish: (job) => finish(statements.finish(job)),
    retry: (job, pauseMs, isCounted) => finish(statements.retry(job, clock.now() + pauseMs, isCounted)),
    async count() {
      const [row = {}] = await connection.query(statements.count, WAIT_MS)
      const { waiting, processing, oldest } = row
      return {
        waiting: Number(waiting),
        processing: Number(processing),
        failed: 0,
        oldestWaitingAt: typeof oldest === 'number' ? oldest : undefined,
      }
    },
  }
}
