/**
 * The quarantine in SQLite's SQL, one statement a step: for the drivers whose database is an SQLite.
 * The body is kept as bytes; everything else as one JSON text, which keeps NUL and lone surrogates as escapes.
 */

import type { QuarantineEntry } from '../store.js'
import type { SqlRow, SqlStatement } from './records.js'

/** The statements of one table of quarantined deliveries. */
export interface QuarantineStatements {
  /** Creates what is missing; may run any number of times. */
  readonly schema: readonly SqlStatement[]
  /** Adds the entry, or replaces the one of the same key. */
  put(entry: QuarantineEntry): SqlStatement
  /** The rows of one entry; give them to `readEntry`. */
  get(key: string): SqlStatement
  /** The rows of at most `limit` entries after the key `after`, in the order of their keys. */
  list(limit: number, after: string): SqlStatement
  /** Removes the entry of that key, if there is one. */
  discard(key: string): SqlStatement
}

/** The statements for `table`, a name that needs no quoting, and the entries of one namespace in it. */
export function quarantineStatements(table: string, namespace: string): QuarantineStatements {
  const columns = 'SELECT key, raw_body, about FROM'
  return {
    schema: [{ sql: schemaSql(table), values: [] }],
    put: (entry) => ({
      sql: `INSERT OR REPLACE INTO ${table} (namespace, key, raw_body, about) VALUES (?1, ?2, ?3, ?4)`,
      values: [namespace, entry.key, entry.rawBody, toJson(entry)],
    }),
    get: (key) => ({ sql: `${columns} ${table} WHERE namespace = ?1 AND key = ?2`, values: [namespace, key] }),
    list: (limit, after) => ({
      sql: `${columns} ${table} WHERE namespace = ?1 AND key > ?2 ORDER BY key LIMIT ?3`,
      values: [namespace, after, limit],
    }),
    discard: (key) => ({ sql: `DELETE FROM ${table} WHERE namespace = ?1 AND key = ?2`, values: [namespace, key] }),
  }
}

/** Reads one row of `get` or `list`. A BLOB comes as bytes, from a Durable Object as an `ArrayBuffer`, from D1 as an array of numbers. */
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
