/**
 * The quarantine in SQLite: its statements, for every driver on SQLite, and the quarantine on a `SqliteConnection`.
 * The body is stored as bytes. Everything else is stored as one JSON text, which escapes NUL and lone surrogates.
 */

import type { Quarantine, QuarantineEntry } from '../store.js'
import type { SqliteConnection } from './connection.js'
import type { SqlRow, SqlStatement } from './record-statements.js'
import type { OwnTable } from './session.js'

/** The statements of one table of quarantined deliveries. */
export interface QuarantineStatements {
  /** Creates the table if it is missing. Safe to repeat. */
  readonly schema: readonly SqlStatement[]
  /** Adds the entry, or replaces the entry with the same key. */
  put(entry: QuarantineEntry): SqlStatement
  /** Returns the row of one entry, for `readEntry`. */
  get(key: string): SqlStatement
  /** Returns the rows of at most `limit` entries after the key `after`, in the order of their keys. */
  list(limit: number, after: string): SqlStatement
  /** Removes the entry with that key, if it exists. */
  discard(key: string): SqlStatement
  /** Returns one row with the number of entries as `count`. */
  readonly count: SqlStatement
}

/** As long as the receiver waits for its quarantine. */
const WAIT_MS = 4500
/** An entry that is only a precaution, because another attempt follows, must not delay claims under load. */
const EARLY_WAIT_MS = 1000
const PROBE: QuarantineEntry = {
  ...{ key: 'probe', code: 'probe', eventType: undefined, rawBody: new Uint8Array(1), headers: {}, error: undefined },
  ...{ receivedAt: 0, attempt: undefined },
}

/** Describes the table of quarantined deliveries. */
export function quarantineTable(name: string): OwnTable {
  const { schema, put } = quarantineStatements(name, '')
  return { name, schema, probe: put(PROBE) }
}

/** Creates the quarantine in a table of the connection. */
export function createSqliteQuarantine(connection: SqliteConnection, table: string, namespace: string): Quarantine {
  const statements = quarantineStatements(table, namespace)
  const run = async (statement: SqlStatement, isEarly = false) =>
    connection.write({
      waitMs: isEarly ? EARLY_WAIT_MS : WAIT_MS,
      isUrgent: !isEarly,
      run: (runner) => void runner.run(statement),
    })
  const read = (statement: SqlStatement) => connection.query(statement, WAIT_MS)
  return Object.assign((entry: QuarantineEntry) => run(statements.put(entry), entry.code === 'retry_pending'), {
    discard: (key: string) => run(statements.discard(key)),
    get: async (key: string) => (await read(statements.get(key))).map(readEntry)[0],
    list: async ({ limit = 100, after = '' } = {}) => (await read(statements.list(limit, after))).map(readEntry),
    count: async () => Number((await read(statements.count))[0]?.['count']),
  })
}

/** Builds the statements for the entries of one namespace. `table` must be a name that needs no quotes. */
export function quarantineStatements(table: string, namespace: string): QuarantineStatements {
  const columns = 'SELECT key, raw_body, about FROM'
  return {
    schema: [{ sql: schemaSql(table), values: [] }],
    put: (entry) => ({
      sql: `INSERT INTO ${table} (namespace, key, raw_body, about) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (namespace, key) DO UPDATE SET raw_body = excluded.raw_body, about = excluded.about`,
      values: [namespace, entry.key, entry.rawBody, toJson(entry)],
    }),
    get: (key) => ({ sql: `${columns} ${table} WHERE namespace = ?1 AND key = ?2`, values: [namespace, key] }),
    list: (limit, after) => ({
      sql: `${columns} ${table} WHERE namespace = ?1 AND key > ?2 ORDER BY key LIMIT ?3`,
      values: [namespace, after, limit],
    }),
    discard: (key) => ({ sql: `DELETE FROM ${table} WHERE namespace = ?1 AND key = ?2`, values: [namespace, key] }),
    count: { sql: `SELECT count(*) AS count FROM ${table} WHERE namespace = ?1`, values: [namespace] },
  }
}

/** Reads one row of `get` or `list`. A BLOB is a byte array, an `ArrayBuffer` (Durable Objects) or an array of numbers (D1). */
export function readEntry(row: SqlRow): QuarantineEntry {
  const { key, raw_body: body, about } = row
  const { code, eventType, headers, error, receivedAt, attempt } = JSON.parse(String(about)) as Omit<
    QuarantineEntry,
    'key' | 'rawBody'
  >
  return {
    ...{ key: String(key), code, eventType, rawBody: new Uint8Array(body as Uint8Array | ArrayBuffer | number[]) },
    ...{ headers, error, receivedAt, attempt },
  }
}

function schemaSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  namespace TEXT NOT NULL,
  key TEXT NOT NULL,
  raw_body BLOB NOT NULL,
  about TEXT NOT NULL,
  PRIMARY KEY (namespace, key)
)`
}

function toJson({ code, eventType, headers, error, receivedAt, attempt }: QuarantineEntry): string {
  return JSON.stringify({ code, eventType, headers, error, receivedAt, attempt })
}
