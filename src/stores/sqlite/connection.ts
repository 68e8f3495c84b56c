/**
 * One SQLite connection, used by one store: everything that writes runs between BEGIN IMMEDIATE and COMMIT, in one turn of the event loop.
 * In: a `node:sqlite` or `better-sqlite3` database. Refuses a database that cannot do write-ahead logging.
 */
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import type { SqlRow, SqlStatement, SqlValue } from './records.js'

/** A prepared statement (`StatementSync`, `Statement`), as far as it is used. */
export interface SqlitePrepared {
  /** Runs a statement that gives no rows. */
  run(...values: SqlValue[]): unknown
  /** Runs a statement that gives rows. */
  all(...values: SqlValue[]): unknown[]
}

/** A database of `node:sqlite` (`DatabaseSync`) or `better-sqlite3` (`Database`), as far as it is used. */
export interface SqliteDatabase {
  /** Runs statements without looking at what they give. */
  exec(sql: string): unknown
  /** Prepares one statement. */
  prepare(sql: string): SqlitePrepared
}

/** What runs inside a transaction. */
export interface SqliteSteps {
  /** Runs a statement that gives rows. */
  rows(statement: SqlStatement): readonly SqlRow[]
  /** Runs a statement that gives none. */
  run(statement: SqlStatement): void
}

/** A connection. */
export interface SqliteConnection {
  /**
   * Reads what is committed, without a transaction and at once: no writer is in the way of a reader. No rows where there are no tables yet,
   * or SQLite is busy after all: nothing is known then.
   */
  read(statement: SqlStatement): readonly SqlRow[]
  /**
   * Runs `work` in a transaction of its own: at once where no other connection writes, else as soon as none does, for at most `waitMs`.
   * What `work` throws rolls back and is thrown. `work` is called at most once.
   */
  transact<Result>(waitMs: number, work: (steps: SqliteSteps) => Result): MaybePromise<Result>
}

/** Makes a connection, which creates what is missing in the database when it is first used. */
export function createConnection(
  database: SqliteDatabase,
  schema: readonly SqlStatement[],
  clock: Clock,
): SqliteConnection {
  const steps = createSteps(database)
  let isOpen = false
  const open = () => {
    configure(database)
    steps.run(BEGIN)
    finish(steps, () => schema.forEach(steps.run))
    isOpen = true
  }
  const attempt = <Result>(work: (steps: SqliteSteps) => Result): Attempt<Result> => {
    try {
      if (!isOpen) open()
      // Also where one statement would do: it must not become part of a transaction that somebody else left open on this connection.
      steps.run(BEGIN)
    } catch (error) {
      if (isBusy(error)) return { busy: error }
      throw error
    }
    return { result: finish(steps, work) }
  }
  return {
    read(statement) {
      try {
        return isOpen ? steps.rows(statement) : []
      } catch (error) {
        if (isBusy(error)) return []
        throw error
      }
    },
    transact(waitMs, work) {
      const first = attempt(work)
      return 'result' in first ? first.result : attemptAgain(clock, waitMs, () => attempt(work))
    },
  }
}

type Attempt<Result> = { readonly result: Result } | { readonly busy: unknown }

const BEGIN: SqlStatement = { sql: 'BEGIN IMMEDIATE', values: [] }
const COMMIT: SqlStatement = { sql: 'COMMIT', values: [] }
const ROLLBACK: SqlStatement = { sql: 'ROLLBACK', values: [] }

function configure(database: SqliteDatabase): void {
  // A wait inside SQLite would stop the whole process; `attemptAgain` waits outside of it.
  database.exec('PRAGMA busy_timeout = 0')
  const [mode] = database.prepare('PRAGMA journal_mode = WAL').all().map(firstValue)
  if (mode !== 'wal' && mode !== 'memory') {
    throw new WebhookError(
      'store_unsuitable',
      `sqliteStore needs write-ahead logging, and this database stays in the journal mode ${JSON.stringify(mode)}. Use a file on a disk of this machine: a network file system cannot do it, nor can a temporary database.`,
    )
  }
  // A 200 must outlive a power cut; better-sqlite3 would use NORMAL, which may forget the last commits.
  database.exec('PRAGMA synchronous = FULL')
}

function firstValue(row: unknown): unknown {
  return Object.values(row as object)[0]
}

function finish<Result>(steps: SqliteSteps, work: (steps: SqliteSteps) => Result): Result {
  try {
    const result = work(steps)
    steps.run(COMMIT)
    return result
  } catch (error) {
    rollBack(steps)
    throw error
  }
}

function rollBack(steps: SqliteSteps): void {
  try {
    steps.run(ROLLBACK)
  } catch {
    // SQLite has rolled back by itself, as it does when the disk is full. The first error is the one to tell.
  }
}

const FIRST_PAUSE_MS = 1
const MAX_PAUSE_MS = 20

async function attemptAgain<Result>(clock: Clock, waitMs: number, attempt: () => Attempt<Result>): Promise<Result> {
  const giveUpAt = clock.now() + waitMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    // Of unequal length, so that those who wait do not come back together.
    await new Promise<void>((resolve) => clock.setTimer(pauseMs * (0.5 + Math.random()), resolve))
    const next = attempt()
    if ('result' in next) return next.result
    if (clock.now() >= giveUpAt) throw next.busy
  }
}

const SQLITE_BUSY = 5

/** `better-sqlite3` says `SQLITE_BUSY` or `SQLITE_BUSY_…`, `node:sqlite` the number, in its lowest byte. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown }
  return String(code).startsWith('SQLITE_BUSY') || (typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY)
}

function createSteps(database: SqliteDatabase): SqliteSteps {
  const known = new Map<string, Prepared>()
  const find = ({ sql }: SqlStatement): Prepared => {
    const found = known.get(sql) ?? prepare(database, sql)
    known.set(sql, found)
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
  /** Which value goes where. */
  readonly order: readonly number[]
}

/** Numbered parameters become plain ones: the two libraries agree on those only. */
function prepare(database: SqliteDatabase, sql: string): Prepared {
  const order: number[] = []
  const plain = sql.replace(/\?(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1)
    return '?'
  })
  const prepared: SqlitePrepared & Settings = database.prepare(plain)
  // Whatever the connection was set to: rows are objects, integers are numbers.
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
