/** Opens databases with both SQLite libraries, in files that are removed after the tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterDatabase from 'better-sqlite3'
import { afterAll } from 'vitest'
import type { SqliteDatabase } from '../../src/stores/sqlite/sqlite-store.js'

/** An open database of either library. */
export interface TestDatabase extends SqliteDatabase {
  close(): void
}

/** Opens a file with each library. */
export const LIBRARIES: Readonly<Record<string, (file: string) => TestDatabase>> = {
  'node:sqlite': (file) => new DatabaseSync(file),
  'better-sqlite3': (file) => new BetterDatabase(file) as unknown as TestDatabase,
}

/** Creates a folder that is removed after the tests of the file. Returns a function that names new files in it. */
export function temporaryFiles(): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-sqlite-'))
  let count = 0
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => join(folder, `${++count}.db`)
}

/** The rows of a query. */
export function rowsOf(database: TestDatabase, sql: string): readonly Record<string, unknown>[] {
  return database.prepare(sql).all() as Record<string, unknown>[]
}

/** Subtracts `ms` milliseconds from every time in the default table, as if that much time had passed; with a key, only in its record. */
export function makeLater(database: TestDatabase, ms: number, key?: string): void {
  const which = key === undefined ? '' : `WHERE key = '${key}'`
  database.exec(`UPDATE govalid_deliveries SET counted_at = counted_at - ${ms}, retain_until = retain_until - ${ms},
    lease_until = iif(lease_until = 0, 0, lease_until - ${ms}) ${which}`)
}

/** Counts the transactions that are committed on a real connection: `take` returns how many since the last call. */
export function countCommits(database: TestDatabase) {
  let commits = 0
  const counting = new Proxy(database, {
    get(target, name) {
      if (name !== 'prepare') {
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (sql: string) => {
        const prepared = target.prepare(sql)
        if (sql !== 'COMMIT') return prepared
        return {
          all: () => prepared.all(),
          run() {
            prepared.run()
            commits++
          },
        }
      }
    },
  })
  return {
    database: counting,
    take() {
      const count = commits
      commits = 0
      return count
    },
  }
}
