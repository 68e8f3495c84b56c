/**
 * Opens a database for one driver: sets up the connection and creates the driver's tables. Refuses a database without write-ahead logging,
 * a database that can't be written, and tables with other columns or constraints. Begins and ends transactions.
 */
import { type Clock, monotonicMs } from '../../clock.js'
import {
  type DatabaseUser,
  foreignTable,
  isInUse,
  isLocked,
  isMismatch,
  missingTable,
  unsuitableMode,
} from './database-errors.js'
import type { SqlStatement } from './record-statements.js'
import { createRunner, type SqliteDatabase, type SqliteRunner } from './runner.js'

/** A table of the driver. */
export interface OwnTable {
  readonly name: string
  /** Creates the table and its indexes if they are missing. Safe to repeat. */
  readonly schema: readonly SqlStatement[]
  /** Uses every column, to recognize a foreign table. Its effect is rolled back. */
  readonly probe: SqlStatement
}

/** A database with its driver's tables. */
export interface Session {
  readonly runner: SqliteRunner
  readonly user: DatabaseUser
  /** Whether the tables exist, as far as this process knows. */
  isOpen(): boolean
  /** Whether the application has a transaction open on this connection. `undefined` if the library can't tell. */
  isInUse(): boolean | undefined
  /** Begins a transaction, and creates the tables first unless they exist. */
  begin(): void
  /** Sets the database up again before the next transaction, because a table is missing. */
  reopen(): void
  /** Whether an error says that one of the driver's tables is missing. */
  isTableMissing(error: unknown): boolean
}

/** What a session needs. */
export interface SessionOptions {
  readonly database: SqliteDatabase
  readonly tables: readonly OwnTable[]
  readonly user: DatabaseUser
  readonly clock: Clock
}

/** Creates a session. The first `begin` opens it. */
export function createSession({ database, tables, user, clock }: SessionOptions): Session {
  const runner = createRunner(database)
  const names = new Set(tables.map(({ name }) => name.toLowerCase()))
  let isOpen = false
  let setAt = Number.NEGATIVE_INFINITY
  const begin = () => {
    if (!isOpen) setUp(database, runner, tables, user)
    isOpen = true
    const now = monotonicMs(clock)
    if (now - setAt >= SET_EVERY_MS) {
      database.exec(SETTINGS)
      setAt = now
    }
    runner.run(BEGIN)
  }
  return {
    runner,
    user,
    isOpen: () => isOpen,
    isInUse: () => database.isTransaction ?? database.inTransaction,
    begin() {
      const wasOpen = isOpen
      try {
        begin()
      } catch (error) {
        if (!wasOpen || isLocked(error) || isInUse(error)) throw error
        // The application may have closed its database and opened it again, which ends all prepared statements.
        runner.forget()
        isOpen = false
        begin()
      }
    },
    reopen() {
      isOpen = false
    },
    isTableMissing: (error) => names.has(missingTable(error)?.toLowerCase() ?? ''),
  }
}

/**
 * Commits.
 *
 * @throws SQLite's error, after a rollback.
 */
export function commit(runner: SqliteRunner): void {
  try {
    runner.run(COMMIT)
  } catch (error) {
    rollBack(runner)
    throw error
  }
}

/** Rolls back. Never throws: SQLite may have rolled back already, for example because the disk is full. */
export function rollBack(runner: SqliteRunner): void {
  try {
    runner.run(ROLLBACK)
  } catch {
    // No transaction is open.
  }
}

const BEGIN: SqlStatement = { sql: 'BEGIN IMMEDIATE', values: [] }
const COMMIT: SqlStatement = { sql: 'COMMIT', values: [] }
const ROLLBACK: SqlStatement = { sql: 'ROLLBACK', values: [] }
const SAVEPOINT: SqlStatement = { sql: 'SAVEPOINT govalid_probe', values: [] }
const ROLLBACK_TO: SqlStatement = { sql: 'ROLLBACK TO govalid_probe', values: [] }

// A wait inside SQLite would block the whole process, so the queue of writes waits outside. A 200 must survive a power failure: NORMAL, the
// default of better-sqlite3 in WAL mode, may lose the last commits.
// The application may change both on its connection, so they are set again every second.
const SETTINGS = 'PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL'
const SET_EVERY_MS = 1000

function setUp(database: SqliteDatabase, runner: SqliteRunner, tables: readonly OwnTable[], user: DatabaseUser): void {
  database.exec('PRAGMA busy_timeout = 0')
  const [mode] = database.prepare('PRAGMA journal_mode = WAL').all().map(firstValue)
  if (mode !== 'wal' && mode !== 'memory') throw unsuitableMode(user, mode)
  database.exec(SETTINGS)
  runner.run(BEGIN)
  try {
    for (const table of tables) createTable(runner, table, user)
  } catch (error) {
    rollBack(runner)
    throw error
  }
  commit(runner)
}

function firstValue(row: unknown): unknown {
  return Object.values(row as object)[0]
}

function createTable(runner: SqliteRunner, { name, schema, probe }: OwnTable, user: DatabaseUser): void {
  try {
    for (const statement of schema) runner.run(statement)
    runner.run(SAVEPOINT)
    runner.run(probe)
    runner.run(ROLLBACK_TO)
  } catch (error) {
    throw isMismatch(error) ? foreignTable(user, name, error) : error
  }
}
