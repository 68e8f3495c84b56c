/**
 * Prepares and runs statements on a database of `node:sqlite` or `better-sqlite3`. Both libraries get the same values and return the same
 * rows, and the settings of the application's connection change neither.
 */
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
  /** Whether a transaction is open on the connection (`node:sqlite`). */
  readonly isTransaction?: boolean
  /** Whether a transaction is open on the connection (`better-sqlite3`). */
  readonly inTransaction?: boolean
}

/** Runs statements. */
export interface SqliteRunner {
  /** Runs a statement that returns rows. */
  rows(statement: SqlStatement): readonly SqlRow[]
  /** Runs a statement that returns no rows. Returns the number of rows that it changed, or 0 if the database is wrapped and doesn't say. */
  run(statement: SqlStatement): number
}

/** Creates a runner that prepares each statement once. `forget` discards them, because a reopened database refuses old ones. */
export function createRunner(database: SqliteDatabase): SqliteRunner & { forget(): void } {
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
      const result = found.prepared.run(...bind(found, statement)) as { readonly changes?: number | bigint } | undefined
      return Number(result?.changes ?? 0)
    },
    forget: () => cache.clear(),
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
