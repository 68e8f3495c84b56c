/**
 * The spool in SQLite's SQL: one table of deliveries that wait, in the order in which they are due.
 */
import type { SqlRow, SqlStatement } from '../../stores/sqlite/records.js'
import type { AcceptedDelivery } from '../inbox.js'

/** A job as it was taken. */
export interface SpooledJob {
  readonly delivery: AcceptedDelivery
  /** From 1. */
  readonly attempt: number
  /** How often it was taken: tells this taking from any other. */
  readonly taken: number
}

/** The statements of one table. Times are epoch milliseconds. */
export interface SpoolStatements {
  readonly schema: readonly SqlStatement[]
  /** Adds a delivery, unless its key waits already. */
  accept(delivery: AcceptedDelivery, now: number): SqlStatement
  /** Takes up to `count` that are due, or whose worker has died; give the rows to `readJob`. */
  take(count: number, now: number, leaseMs: number): SqlStatement
  renew(job: SpooledJob, until: number): SqlStatement
  finish(job: SpooledJob): SqlStatement
  /** Gives a job back until `dueAt`; not `counted`, its try is taken back. */
  retry(job: SpooledJob, dueAt: number, counted: boolean): SqlStatement
  /** One row: `waiting`, `working`, `oldest`. */
  readonly count: SqlStatement
}

/** The statements for `table`, a name that needs no quoting. */
export function spoolStatements(table: string): SpoolStatements {
  const held = 'WHERE key = ?1 AND taken = ?2 AND lease_until > 0'
  return {
    schema: [
      { sql: schemaSql(table), values: [] },
      { sql: `CREATE INDEX IF NOT EXISTS ${table}_due_at ON ${table} (due_at)`, values: [] },
    ],
    accept: ({ key, rawBody, headers, receivedAt }, now) => ({
      sql: `INSERT OR IGNORE INTO ${table} (key, raw_body, headers, received_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5)`,
      values: [key, rawBody, JSON.stringify(headers), receivedAt, now],
    }),
    take: (count, now, leaseMs) => ({
      sql: `UPDATE ${table} SET taken = taken + 1, attempt = attempt + 1, lease_until = ?2 + ?3, due_at = ?2 + ?3
WHERE key IN (SELECT key FROM ${table} WHERE due_at <= ?2 ORDER BY due_at LIMIT ?1)
RETURNING key, raw_body, headers, received_at, attempt, taken`,
      values: [count, now, leaseMs],
    }),
    renew: ({ delivery, taken }, until) => ({
      sql: `UPDATE ${table} SET lease_until = ?3, due_at = ?3 ${held}`,
      values: [delivery.key, taken, until],
    }),
    finish: ({ delivery, taken }) => ({ sql: `DELETE FROM ${table} ${held}`, values: [delivery.key, taken] }),
    retry: ({ delivery, taken }, dueAt, counted) => ({
      sql: `UPDATE ${table} SET lease_until = 0, due_at = ?3, attempt = attempt - ?4 ${held}`,
      values: [delivery.key, taken, dueAt, counted ? 0 : 1],
    }),
    count: {
      sql: `SELECT sum(lease_until = 0) AS waiting, sum(lease_until > 0) AS working,
  min(iif(lease_until = 0, received_at, NULL)) AS oldest FROM ${table}`,
      values: [],
    },
  }
}

/** Reads one row of `take`; never throws, or one bad row would keep those that were taken with it. */
export function readJob(row: SqlRow): SpooledJob {
  const { key, raw_body: body, headers, received_at: receivedAt, attempt, taken } = row
  const rawBody = body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array(0)
  const delivery = { key: String(key), rawBody, headers: readHeaders(headers), receivedAt: Number(receivedAt) }
  return { delivery, attempt: Number(attempt), taken: Number(taken) }
}

/** What is no headers was written by somebody else: without a signature the delivery is refused and set aside. */
function readHeaders(text: unknown): AcceptedDelivery['headers'] {
  try {
    return Object(JSON.parse(String(text)))
  } catch {
    return {}
  }
}

function schemaSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  key TEXT PRIMARY KEY,
  raw_body BLOB NOT NULL,
  headers TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  taken INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`
}
