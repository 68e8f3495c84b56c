/**
 * Store driver for SQLite on one machine, by `node:sqlite` or `better-sqlite3`: any number of processes, transactions with the handler's
 * own writes, a quarantine. In: a connection of the store's own. The clock is SQLite's, which is the machine's.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { isPromiseLike } from '../../maybe-promise.js'
import type { Quarantine, Store, TransactionRequest } from '../store.js'
import { createConnection, type SqliteDatabase, type SqliteSteps } from './connection.js'
import { createSqliteQuarantine, type SqliteStep } from './kept.js'
import { LEASE_LOST, readClaim, recordStatements, type SqlStatement } from './records.js'

export type { SqliteDatabase, SqlitePrepared } from './connection.js'
export type { SqlValue } from './records.js'

/** What `sqliteStore` takes. */
export interface SqliteStoreOptions<Database extends SqliteDatabase = SqliteDatabase> {
  /**
   * A `DatabaseSync` of `node:sqlite` or a `Database` of `better-sqlite3`. Best a connection of the store's own, to the file of your tables:
   * it is switched to write-ahead logging, `synchronous = FULL` and `busy_timeout = 0`.
   */
  readonly database: Database
  /** Keeps receivers apart that share the tables: deliveries of one are unknown to the others. Default: `'default'`. */
  readonly namespace?: string
  /** The table of deliveries; the quarantine is beside it, as `<table>_quarantine`. Default: `'govalid_deliveries'`. */
  readonly table?: string
  /** The clock of the pauses while another connection writes, for tests. Leases and retention go by SQLite's own. */
  readonly clock?: Clock
}

/**
 * `context.transaction` with this store: runs a synchronous function on the store's connection and commits its writes together with the
 * handler's checkpoint. What the function throws rolls back both.
 *
 * Rejects with `transaction_async` when the function returns a promise, and with `lease_lost` when another worker has claimed the delivery
 * since; nothing is written then.
 */
export type SqliteTransaction<Database extends SqliteDatabase = SqliteDatabase> = <Result>(
  work: (
    tx: Database,
  ) => Result extends PromiseLike<unknown> ? 'a SQLite transaction takes a synchronous function' : Result,
) => Promise<Result>

/** A store in SQLite: transactional, and with a quarantine of its own. */
export interface SqliteStore<Database extends SqliteDatabase = SqliteDatabase>
  extends Store<SqliteTransaction<Database>> {
  /** Opens the transaction function for one handler's run. */
  readonly transaction: (request: TransactionRequest) => SqliteTransaction<Database>
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
}

/** Below the second that the receiver gives a store call: what it has given up on must not be written after all. */
const STEP_WAIT_MS = 900
/** The handler's own time, in which its lease is kept: longer than any write should take. */
const TRANSACTION_WAIT_MS = 30_000
/** How often a completion clears away what is over, and how many records: more than completions add, so that it cannot pile up. */
const SWEEP_EVERY = 10
const SWEPT_AT_ONCE = 50
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Makes a store in SQLite. Touches the file with the first delivery only; its tables are created there.
 *
 * @throws WebhookError `option_invalid` when `database` is neither library's, or `table` no plain name of at most 61 characters.
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
  if (typeof database?.prepare !== 'function' || typeof database.exec !== 'function') {
    const message =
      'database must be an open database of node:sqlite or better-sqlite3: new DatabaseSync("app.db"), new Database("app.db").'
    throw new WebhookError('option_invalid', message)
  }
  if (!TABLE.test(table)) {
    const message = `table must be letters, digits and _, at most 61, not first a digit; it is ${JSON.stringify(table)}.`
    throw new WebhookError('option_invalid', message)
  }
  const records = recordStatements(table, namespace)
  const step: SqliteStep = (work) => connection.transact(STEP_WAIT_MS, work)
  const kept = createSqliteQuarantine(`${table}_quarantine`, namespace, step)
  const connection = createConnection(database, [...records.schema, ...kept.schema], clock)
  let completions = 0
  const holds = (statement: SqlStatement) => step((steps) => steps.rows(statement).length > 0)
  return {
    claim(request) {
      // Copies of one try come together; only what changes the record has to wait for another writer, and for the disk.
      const rows = connection.read(records.unclaimable(request))
      if (rows.length > 0) return readClaim(rows, request.token)
      return step((steps) => readClaim(steps.rows(records.claim(request)), request.token))
    },
    renew: (request) => holds(records.renew(request)),
    complete: (request) =>
      step((steps) => {
        const gaveRow = (statement: SqlStatement) => steps.rows(statement).length > 0
        // The receiver asks for the retention it claimed with, so this is nearly always all.
        const finished = !request.quarantined && gaveRow(records.finish(request))
        const completed = finished || gaveRow(records.complete(request))
        if (completions++ % SWEEP_EVERY === 0) steps.run(records.sweep(SWEPT_AT_ONCE))
        return completed
      }),
    release: (request) => holds(records.release(request)),
    transaction: (request) => async (work) =>
      connection.transact(TRANSACTION_WAIT_MS, (steps) => {
        guard(steps, records.guard(request))
        const result = runInside(steps, () => work(database))
        steps.run(records.checkpoint(request))
        // What the type keeps out, `runInside` has refused.
        return result as never
      }),
    quarantine: kept.quarantine,
  }
}

function guard(steps: SqliteSteps, statement: SqlStatement): void {
  try {
    steps.run(statement)
  } catch (error) {
    if (!String(error).includes(LEASE_LOST)) throw error
    const message = 'Another worker has claimed this delivery since; nothing of the transaction was written.'
    throw new WebhookError('lease_lost', message, { cause: error })
  }
}

const SAVEPOINT: SqlStatement = { sql: 'SAVEPOINT govalid_transaction', values: [] }
const RELEASE: SqlStatement = { sql: 'RELEASE govalid_transaction', values: [] }

function runInside(steps: SqliteSteps, work: () => unknown): unknown {
  steps.run(SAVEPOINT)
  const result = work()
  if (isPromiseLike(result)) {
    // Nobody waits for it; how it ends must not end the process.
    result.then(undefined, () => {})
    const message =
      'transaction takes a synchronous function: it commits when the function returns, and what an async one does later would be outside. Await before calling it.'
    throw new WebhookError('transaction_async', message)
  }
  // Fails when the function has committed or rolled back by itself: the checkpoint would not be part of the same transaction.
  steps.run(RELEASE)
  return result
}
