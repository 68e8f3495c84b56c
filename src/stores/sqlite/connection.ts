/**
 * Runs the statements of one store on one SQLite connection. Every write runs between BEGIN IMMEDIATE and COMMIT, within one
 * event-loop turn. Takes a `node:sqlite` or `better-sqlite3` database. Refuses a database without write-ahead logging.
 */
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import type { SqlRow, SqlStatement, SqlValue } from './record-statements.js'

/** The part of a prepared statement (`StatementSync` or `Statement`) that the driver uses. */
export interface SqlitePrepared {
  /** Runs a statement that returns no rows. */
  run(...values: SqlValue[]): unknown
  /** Runs a statement that returns rows. */
  all(...values: SqlValue[]): unknown[]
}

/** The part of a `DatabaseSync` (`node:sqlite`) or `Database` (`better-sqlite3`) that the driver uses. */
export interface SqliteDatabase {
  /** Runs statements and ignores their rows. */
  exec(sql: string): unknown
  /** Prepares one statement. */
  prepare(sql: string): SqlitePrepared
}

/** Runs statements inside an open transaction. */
export interface SqliteRunner {
  /** Runs a statement that returns rows. */
  rows(statement: SqlStatement): readonly SqlRow[]
  /** Runs a statement that returns no rows. */
  run(statement: SqlStatement): void
}

/** A connection, set up for one store. */
export interface SqliteConnection {
  /**
   * Reads committed rows immediately and without a transaction, because writers don't block readers in WAL mode. Returns no
   * rows if the tables don't exist yet or SQLite is busy, so an empty result proves nothing.
   */
  read(statement: SqlStatement): readonly SqlRow[]
  /**
   * Runs `callback` in its own transaction. Runs it immediately, or waits up to `waitMs` while another connection writes.
   * If `callback` throws, the transaction rolls back and the error is thrown. Calls `callback` at most once.
   */
  transact<Result>(waitMs: number, callback: (runner: SqliteRunner) => Result): MaybePromise<Result>
}

/** Creates a connection. Its first use runs `schema`, which creates missing tables and indexes. */
export function createConnection(
  database: SqliteDatabase,
  schema: readonly SqlStatement[],
  clock: Clock,
): SqliteConnection {
  const runner = createRunner(database)
  let isOpen = false
  const open = () => {
    configure(database)
    runner.run(BEGIN)
    commitAfter(runner, () => schema.forEach(runner.run))
    isOpen = true
  }
  const tryTransact = <Result>(callback: (runner: SqliteRunner) => Result): BusyOr<Result> => {
    try {
      if (!isOpen) open()
      // Even a single statement gets its own BEGIN, so that it never joins a transaction that was left open on the connection.
      runner.run(BEGIN)
    } catch (error) {
      if (isBusy(error)) return { busy: error }
      throw error
    }
    return { result: commitAfter(runner, callback) }
  }
  return {
    read(statement) {
      try {
        return isOpen ? runner.rows(statement) : []
      } catch (error) {
        if (isBusy(error)) return []
        throw error
      }
    },
    transact(waitMs, callback) {
      const first = tryTransact(callback)
      return 'result' in first ? first.result : retryWhileBusy(clock, waitMs, () => tryTransact(callback))
    },
  }
}

type BusyOr<Result> = { readonly result: Result } | { readonly busy: unknown }

const BEGIN: SqlStatement = { sql: 'BEGIN IMMEDIATE', values: [] }
const COMMIT: SqlStatement = { sql: 'COMMIT', values: [] }
const ROLLBACK: SqlStatement = { sql: 'ROLLBACK', values: [] }

function configure(database: SqliteDatabase): void {
  // A wait inside SQLite would block the whole process, so `retryWhileBusy` waits outside.
  database.exec('PRAGMA busy_timeout = 0')
  const [mode] = database.prepare('PRAGMA journal_mode = WAL').all().map(firstValue)
  if (mode !== 'wal' && mode !== 'memory') {
    throw new WebhookError(
      'store_unsuitable',
      `sqliteStore needs write-ahead logging, but this database stays in journal mode ${JSON.stringify(mode)}. Use a file on a local disk: network file systems and temporary databases can't do it. See docs/stores/sqlite.md.`,
    )
  }
  // A 200 must survive a power cut. NORMAL, the default of better-sqlite3 in WAL mode, may lose the last commits.
  database.exec('PRAGMA synchronous = FULL')
}

function firstValue(row: unknown): unknown {
  return Object.values(row as object)[0]
}

function commitAfter<Result>(runner: SqliteRunner, callback: (runner: SqliteRunner) => Result): Result {
  try {
    const result = callback(runner)
    runner.run(COMMIT)
    return result
  } catch (error) {
    rollBack(runner)
    throw error
  }
}

function rollBack(runner: SqliteRunner): void {
  try {
    runner.run(ROLLBACK)
  } catch {
    // SQLite has already rolled back, for example because the disk is full. The caller throws the first error.
  }
}

const FIRST_PAUSE_MS = 1
const MAX_PAUSE_MS = 20

async function retryWhileBusy<Result>(clock: Clock, waitMs: number, retry: () => BusyOr<Result>): Promise<Result> {
  const deadline = clock.now() + waitMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    // Random pauses keep waiting processes from retrying at the same time.
    await new Promise<void>((resolve) => clock.setTimer(pauseMs * (0.5 + Math.random()), resolve))
    const next = retry()
    if ('result' in next) return next.result
    if (clock.now() >= deadline) throw next.busy
  }
}

const SQLITE_BUSY = 5

/** `better-sqlite3` sets `code` to `SQLITE_BUSY` or `SQLITE_BUSY_…`. `node:sqlite` sets the lowest byte of `errcode`. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown }
  return String(code).startsWith('SQLITE_BUSY') || (typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY)
}

function createRunner(database: SqliteDatabase): SqliteRunner {
  const cache = new Map<string, Prepared>()
  const find = ({ sql }: SqlStatement): Prepared => {
    const found = cache.get(sql) ?? prepare(database, sql)
    cache.set(sql, found)
    return found
  }
  const bind = ({ order }: Prepared, { values }: SqlStatement) => order.map((index) => values[index] ?? null)
  return {
    rows(statement) {
      const found = find(statement)
      return found.prepared.all(...bind(found, statement)) as SqlRow[]
    },
    run(statement) {
      const found = find(statement)
      found.prepared.run(...bind(found, statement))
    },
  }
}

interface Prepared {
  readonly prepared: SqlitePrepared
  /** The index of the value for each parameter. */
  readonly order: readonly number[]
}

/** Replaces numbered parameters with plain ones, the only kind that both libraries bind in the same way. */
function prepare(database: SqliteDatabase, sql: string): Prepared {
  const order: number[] = []
  const plain = sql.replace(/\?(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1)
    return '?'
  })
  const prepared: SqlitePrepared & Settings = database.prepare(plain)
  // Settings of the user's connection must not change the results: rows are objects, integers are numbers.
  prepared.setReadBigInts?.(false)
  prepared.setReturnArrays?.(false)
  prepared.safeIntegers?.(false)
  return { prepared, order }
}

interface Settings {
  readonly setReadBigInts?: (enabled: boolean) => unknown
  readonly setReturnArrays?: (enabled: boolean) => unknown
  readonly safeIntegers?: (enabled: boolean) => unknown
}
