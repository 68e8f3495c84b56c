/**
 * The SQLite store, for any number of processes on one machine. It has transactions with the handler's own writes and a
 * quarantine. Takes a database of `node:sqlite` or `better-sqlite3`. The clock is SQLite's, which is the machine's.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { isPromiseLike } from '../../maybe-promise.js'
import type { ClaimRequest, ClaimResult, Quarantine, Store, TransactionRequest } from '../store.js'
import { createConnection } from './connection.js'
import { type DatabaseUser, missingTable } from './database-errors.js'
import { createSqliteQuarantine, quarantineTable } from './quarantine.js'
import {
  LEASE_LOST,
  type RecordStatements,
  readClaim,
  recordStatements,
  type SqlStatement,
} from './record-statements.js'
import type { SqliteDatabase, SqliteRunner } from './runner.js'

export type { SqlValue } from './record-statements.js'
export type { SqliteDatabase, SqlitePrepared } from './runner.js'

/** The options of {@link sqliteStore}. */
export interface SqliteStoreOptions<Database extends SqliteDatabase = SqliteDatabase> {
  /**
   * A `DatabaseSync` of `node:sqlite` or a `Database` of `better-sqlite3`. Open a separate connection for the store, to the
   * file with your tables. The store sets write-ahead logging, `synchronous = FULL` and `busy_timeout = 0` on it.
   */
  readonly database: Database
  /** Separates receivers that share the tables: a receiver sees only its own deliveries. Default: `'default'`. */
  readonly namespace?: string | undefined
  /** The table of deliveries. The quarantine is in `<table>_quarantine`. Default: `'govalid_deliveries'`. */
  readonly table?: string | undefined
  /** The clock for waiting for other writers. Tests inject their own. Leases and retention use SQLite's clock. */
  readonly clock?: Clock | undefined
}

/**
 * The type of `context.transaction` with this store. It runs a synchronous function on the store's connection and commits
 * the function's writes together with the handler's checkpoint. If the function throws, both are rolled back.
 *
 * Rejects with `transaction_async` if the function returns a promise, and with `lease_lost` if another process has claimed
 * the delivery in the meantime. In both cases nothing is written.
 */
export type SqliteTransaction<Database extends SqliteDatabase = SqliteDatabase> = <Result>(
  callback: (
    tx: Database,
  ) => Result extends PromiseLike<unknown> ? 'a SQLite transaction takes a synchronous function' : Result,
) => Promise<Result>

/** A store in SQLite, with transactions and its own quarantine. */
export interface SqliteStore<Database extends SqliteDatabase = SqliteDatabase>
  extends Store<SqliteTransaction<Database>> {
  /** Opens the transaction function for one run of a handler. */
  readonly transaction: (request: TransactionRequest) => SqliteTransaction<Database>
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
  /** Returns how many operations wait for their transaction. */
  waiting(): number
}

const USER: DatabaseUser = { name: 'sqliteStore', page: 'docs/stores/sqlite.md' }
/** Of a caller that doesn't say how long it waits. */
const WAIT_MS = 1000
/** Longer than any write should take. The handler waits, and its lease is renewed meanwhile. */
const TRANSACTION_WAIT_MS = 30_000
/** Every tenth completion deletes up to 50 expired records, more than completions add, so the table can't grow forever. */
const SWEEP_EVERY = 10
const SWEEP_LIMIT = 50
const TABLE = /^[A-Za-z_]\w{0,60}$/
const PROBE: ClaimRequest = { key: 'probe', token: 'probe', leaseMs: 0, retainUntil: 0, attemptGapMs: 0 }

/**
 * Creates a store in SQLite and its missing tables. Operations that arrive together share one transaction and one disk sync; each has its
 * own result.
 *
 * @throws WebhookError `option_invalid` if `database` isn't an open database of either library or SQLite is older than 3.42, `namespace`
 * isn't a string, or `table` isn't a plain name of at most 61 characters. `store_unsuitable` if the database can't be written, has no
 * write-ahead logging, or has foreign tables of the same names.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite'
 * import { createReceiver } from 'govalid-webhooks'
 * import { sqliteStore } from 'govalid-webhooks/stores/sqlite'
 *
 * const store = sqliteStore({ database: new DatabaseSync('app.db') })
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store }).on('qr.scanned', async (event, { transaction }) => {
 *   await transaction((tx) => {
 *     tx.prepare('INSERT INTO scans (qr_id) VALUES (?)').run(event.data.qr_id)
 *   })
 * })
 * ```
 */
export function sqliteStore<Database extends SqliteDatabase>(
  options: SqliteStoreOptions<Database>,
): SqliteStore<Database> {
  const { database, namespace = 'default', table = 'govalid_deliveries', clock = systemClock } = options
  if (typeof namespace !== 'string') {
    throw new WebhookError('option_invalid', `namespace must be a string; it is ${JSON.stringify(namespace)}.`)
  }
  if (!TABLE.test(table)) {
    const message = `table must be 1 to 61 letters, digits and underscores and must not start with a digit; it is ${JSON.stringify(table)}.`
    throw new WebhookError('option_invalid', message)
  }
  const records = recordStatements(table, namespace, 'appended')
  const quarantineName = `${table}_quarantine`
  const tables = [{ name: table, schema: records.schema, probe: records.claim(PROBE) }, quarantineTable(quarantineName)]
  const connection = createConnection({ database, tables, user: USER, clock })
  const finish = <Result>(waitMs: number | undefined, run: (runner: SqliteRunner) => Result) =>
    connection.write({ waitMs: waitMs ?? WAIT_MS, isUrgent: true, run })
  let completions = 0
  return {
    claim(request) {
      // Copies of one attempt arrive together. Reading first spares the copies the wait for other writers and the disk. Under load a claim
      // waits for the next group anyway.
      const rows = connection.waiting() === 0 ? connection.read(records.unclaimable(request)) : []
      if (rows.length > 0) return readClaim(rows, request.token)
      return connection.write({
        waitMs: request.waitMs ?? WAIT_MS,
        isUrgent: false,
        run: (runner) => claimRecord(runner, records, request),
      })
    },
    renew: (request) => finish(request.waitMs, (runner) => hasRow(runner, records.renew(request))),
    complete: (request) =>
      finish(request.waitMs, (runner) => {
        // The receiver completes with the retention of its claim, so `finish` nearly always succeeds.
        const isFinished = !request.quarantined && runner.run(records.finish(request)) > 0
        const isCompleted = isFinished || hasRow(runner, records.complete(request))
        const isSweepDue = completions++ % SWEEP_EVERY === 0 && hasRow(runner, records.expired)
        if (isSweepDue) runner.run(records.sweep(SWEEP_LIMIT))
        return isCompleted
      }),
    release: (request) => finish(request.waitMs, (runner) => hasRow(runner, records.release(request))),
    waiting: connection.waiting,
    transaction: (request) => async (callback) =>
      connection.write({
        waitMs: TRANSACTION_WAIT_MS,
        isUrgent: true,
        isAlone: true,
        run(runner) {
          guard(runner, records.guard(request))
          const result = runInside(runner, () => callback(database))
          runner.run(records.checkpoint(request))
          // The type excludes promises, and `runInside` has refused them.
          return result as never
        },
      }),
    quarantine: createSqliteQuarantine(connection, quarantineName, namespace),
  }
}

function claimRecord(runner: SqliteRunner, records: RecordStatements, request: ClaimRequest): ClaimResult {
  // Most deliveries are new. The claim of a record returns columns, for which SQLite needs a temporary table.
  const isNew = runner.run(records.insert(request)) > 0
  if (isNew) return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
  return readClaim(runner.rows(records.claim(request)), request.token)
}

function hasRow(runner: SqliteRunner, statement: SqlStatement): boolean {
  return runner.rows(statement).length > 0
}

function guard(runner: SqliteRunner, statement: SqlStatement): void {
  try {
    runner.run(statement)
  } catch (error) {
    // If the tables were dropped, the claim was lost with them.
    if (!String(error).includes(LEASE_LOST) && missingTable(error) === undefined) throw error
    const message = 'Another process has claimed this delivery in the meantime, so the transaction was rolled back.'
    throw new WebhookError('lease_lost', message, { cause: error })
  }
}

const SAVEPOINT: SqlStatement = { sql: 'SAVEPOINT govalid_transaction', values: [] }
const RELEASE: SqlStatement = { sql: 'RELEASE govalid_transaction', values: [] }

function runInside(runner: SqliteRunner, callback: () => unknown): unknown {
  runner.run(SAVEPOINT)
  const result = callback()
  if (isPromiseLike(result)) {
    // The promise is abandoned, and its rejection must not end the process.
    result.then(undefined, () => {})
    const message =
      'transaction takes a synchronous function, because it commits as soon as the function returns; this function returned a promise. Await before you call transaction.'
    throw new WebhookError('transaction_async', message)
  }
  // RELEASE fails if the function committed or rolled back by itself. Otherwise the checkpoint would be in another transaction.
  runner.run(RELEASE)
  return result
}
