/**
 * Inbox driver for SQLite on one machine: a durable spool, processed by one process or by several that share the file.
 * It needs its own connection, to the store's file or to another one. Due times follow the machine's clock, which all processes share.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { createConnection, type SqliteConnection, type SqliteDatabase } from '../../stores/sqlite/connection.js'
import { createSqliteQuarantine } from '../../stores/sqlite/quarantine.js'
import type { SqlStatement } from '../../stores/sqlite/record-statements.js'
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
  readonly table?: string
  /** The maximum number of deliveries that this process handles at once. Default: 10. */
  readonly concurrency?: number
  /** The number of attempts before a failing delivery is quarantined. Default: 20, which take ten and a half hours. */
  readonly attempts?: number
  /** The pause before the second attempt, in milliseconds. It doubles up to an hour, plus or minus a fifth. Default: 5,000. */
  readonly firstPauseMs?: number
  /** The interval between polls for deliveries that other processes accepted, in milliseconds. Default: 1,000. */
  readonly pollMs?: number
  /** The clock, for tests. */
  readonly clock?: Clock
}

/** An inbox in SQLite, with its own quarantine. */
export interface SqliteInbox extends Inbox {
  start(process: InboxProcessor): void
  stop(): Promise<void>
  status(): Promise<InboxStatus>
  /** Keeps the deliveries that failed their last attempt. Used if neither the receiver nor its store has a quarantine. */
  readonly quarantine: Quarantine
}

/** The time limit of one call to SQLite, in milliseconds. */
const CALL_MS = 900
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Creates an inbox in SQLite.
 *
 * @throws WebhookError `option_invalid` when `database` is of neither library, `table` isn't a plain name, or a number isn't a whole
 * number above 0.
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
  if (typeof database?.prepare !== 'function' || !TABLE.test(table)) {
    throw new WebhookError(
      'option_invalid',
      'sqliteInbox needs { database, table? }: an open database and a plain table name (letters, digits and _). See docs/inbox.md.',
    )
  }
  const statements = spoolStatements(table)
  const kept = createSqliteQuarantine(`${table}_quarantine`, 'inbox', (callback) =>
    connection.transact(CALL_MS, callback),
  )
  const connection = createConnection(database, [...statements.schema, ...kept.schema], clock)
  const spool = createSpool(connection, statements, clock)
  let worker: Worker | undefined
  return {
    quarantine: kept.quarantine,
    async accept(delivery) {
      await spool.accept(delivery)
      worker?.wake()
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
  const { concurrency = 10, attempts = 20, firstPauseMs = 5000, pollMs = 1000 } = options
  const limits: WorkerLimits = { concurrency, attempts, firstPauseMs, pollMs }
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && value > 0) continue
    const message = `${name} must be a whole number above 0; it is ${String(value)}. See docs/inbox.md.`
    throw new WebhookError('option_invalid', message)
  }
  return limits
}

interface OpenSpool extends Spool {
  accept(delivery: AcceptedDelivery): Promise<void>
  count(): Promise<InboxStatus>
}

function createSpool(connection: SqliteConnection, statements: SpoolStatements, clock: Clock): OpenSpool {
  const run = async (statement: SqlStatement) =>
    void (await connection.transact(CALL_MS, (runner) => runner.run(statement)))
  const rows = async (statement: SqlStatement) => connection.transact(CALL_MS, (runner) => runner.rows(statement))
  return {
    accept: (delivery) => run(statements.accept(delivery, clock.now())),
    take: async (count) => (await rows(statements.take(count, clock.now(), LEASE_MS))).map(readJob),
    renew: (job) => run(statements.renew(job, clock.now() + LEASE_MS)),
    finish: (job) => run(statements.finish(job)),
    retry: (job, pauseMs, isCounted) => run(statements.retry(job, clock.now() + pauseMs, isCounted)),
    async count() {
      const [row] = await rows(statements.count)
      const { waiting, processing, oldest } = row as Record<string, number | null>
      return { waiting: waiting ?? 0, processing: processing ?? 0, failed: 0, oldestWaitingAt: oldest ?? undefined }
    },
  }
}
