/**
 * The spool's SQL: one table of waiting deliveries, in the order of their due times.
 */
import type { SqlRow, SqlStatement } from '../../stores/sqlite/record-statements.js'
import type { AcceptedDelivery } from '../inbox.js'

/** A job that a worker has taken. */
export interface SpooledJob {
  /** The row. Ids are never used again. */
  readonly id: number
  readonly delivery: AcceptedDelivery
  /** The number of this attempt, counted from 1. */
  readonly attempt: number
  /** How many times the job was taken. A worker that lost it to another holds an older number, so its writes match no row. */
  readonly taken: number
}

/** The statements of one table. Times are epoch milliseconds. */
export interface SpoolStatements {
  readonly schema: readonly SqlStatement[]
  /** Adds a delivery, unless its key is already waiting. */
  accept(delivery: AcceptedDelivery, now: number): SqlStatement
  /** Takes up to `count` jobs that are due or whose lease has expired. Read the rows with `readJob`. */
  take(count: number, now: number, leaseMs: number): SqlStatement
  renew(job: SpooledJob, until: number): SqlStatement
  finish(job: SpooledJob): SqlStatement
  /** Returns a job until `dueAt`. Unless `isCounted`, its attempt is taken back. */
  retry(job: SpooledJob, dueAt: number, isCounted: boolean): SqlStatement
  /** One row: `waiting`, `processing`, `oldest`. */
  readonly count: SqlStatement
}

/** Returns the statements for `table`, a name that needs no quoting. */
export function spoolStatements(table: string): SpoolStatements {
  const held = 'WHERE id = ?1 AND taken = ?2 AND lease_until > 0'
  return {
    schema: [
      { sql: schemaSql(table), values: [] },
      // It has both columns that `count` needs, so counting reads no body.
      { sql: `CREATE INDEX IF NOT EXISTS ${table}_due_at ON ${table} (due_at, lease_until)`, values: [] },
    ],
    accept: ({ key, rawBody, headers, receivedAt }, now) => ({
      sql: `INSERT INTO ${table} (key, raw_body, headers, received_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO NOTHING`,
      values: [key, rawBody, JSON.stringify(headers), receivedAt, now],
    }),
    take: (count, now, leaseMs) => ({
      sql: `UPDATE ${table} SET taken = taken + 1, attempt = attempt + 1, lease_until = ?2 + ?3, due_at = ?2 + ?3
WHERE id IN (SELECT id FROM ${table} WHERE due_at <= ?2 ORDER BY due_at LIMIT ?1)
RETURNING id, key, raw_body, headers, received_at, attempt, taken`,
      values: [count, now, leaseMs],
    }),
    renew: ({ id, taken }, until) => ({
      sql: `UPDATE ${table} SET lease_until = ?3, due_at = ?3 ${held}`,
      values: [id, taken, until],
    }),
    finish: ({ id, taken }) => ({ sql: `DELETE FROM ${table} ${held}`, values: [id, taken] }),
    retry: ({ id, taken }, dueAt, isCounted) => ({
      sql: `UPDATE ${table} SET lease_until = 0, due_at = ?3, attempt = attempt - ?4 ${held}`,
      values: [id, taken, dueAt, isCounted ? 0 : 1],
    }),
    count: {
      sql: `SELECT count(*) - total(lease_until > 0) AS waiting, total(lease_until > 0) AS processing,
  (SELECT received_at FROM ${table} WHERE lease_until = 0 ORDER BY id LIMIT 1) AS oldest FROM ${table}`,
      values: [],
    },
  }
}

/** Reads one row of `take`. It never throws, because one bad row would block the other rows of the same call. */
export function readJob(row: SqlRow): SpooledJob {
  const { id, key, raw_body: body, headers, received_at: receivedAt, attempt, taken } = row
  const rawBody = ArrayBuffer.isView(body) ? new Uint8Array(body as Uint8Array) : new Uint8Array(0)
  const delivery = { key: String(key), rawBody, headers: readHeaders(headers), receivedAt: Number(receivedAt) }
  return { id: Number(id), delivery, attempt: Number(attempt), taken: Number(taken) }
}

/** Invalid headers come from another writer. Without a signature, the receiver quarantines the delivery as forged. */
function readHeaders(text: unknown): AcceptedDelivery['headers'] {
  try {
    return Object(JSON.parse(String(text)))
  } catch {
    return {}
  }
}

/** Jobs are processed in the order of their ids, so the rows of one group are next to each other. The large columns are the last. */
function schemaSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  due_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  taken INTEGER NOT NULL DEFAULT 0,
  received_at INTEGER NOT NULL,
  key TEXT NOT NULL UNIQUE,
  headers TEXT NOT NULL,
  raw_body BLOB NOT NULL
)`
}
