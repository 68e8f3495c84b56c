/**
 * The store contract in SQLite's SQL, one statement per operation, for every driver on SQLite (`node:sqlite`, D1, Durable
 * Objects). Turns a request into a statement with its values. The driver runs it. The clock is SQLite's own.
 */
import type { ClaimRequest, ClaimResult, CompleteRequest, ReleaseRequest, RenewRequest } from '../store.js'

/** A value that can be bound to a statement. */
export type SqlValue = string | number | null | Uint8Array

/** A row of a result. */
export type SqlRow = Readonly<Record<string, unknown>>

/** A statement and its values, in the order of its parameters `?1`, `?2` … */
export interface SqlStatement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** The key and token of a claim. */
interface HeldKey {
  readonly key: string
  readonly token: string
}

/** The statements of one table of deliveries. */
export interface RecordStatements {
  /** Creates the table and its index if they are missing. Safe to repeat. */
  readonly schema: readonly SqlStatement[]
  /** Claims a delivery that has no record. Changes one row, or none if there is a record. Faster than `claim`. */
  insert(request: ClaimRequest): SqlStatement
  /** Claims a delivery. Pass its rows to `readClaim`. */
  claim(request: ClaimRequest): SqlStatement
  /**
   * Returns a row for `readClaim` if a claim would change nothing: the delivery is finished, or it is busy and no attempt
   * would be counted.
   */
  unclaimable(request: ClaimRequest): SqlStatement
  /** Returns a row if the token holds the record. */
  renew(request: RenewRequest): SqlStatement
  /**
   * Completes without touching the index. Changes one row if the token holds the record and its retention is long enough;
   * otherwise use `complete`. Not for quarantined deliveries.
   */
  finish(request: CompleteRequest): SqlStatement
  /** Returns a row if the token holds the record or already completed it. */
  complete(request: CompleteRequest): SqlStatement
  /** Returns a row if the token holds the record. */
  release(request: ReleaseRequest): SqlStatement
  /** Violates the constraint `lease_lost`, which fails its transaction, unless the token holds the record. */
  guard(held: HeldKey): SqlStatement
  /** Adds a completed handler, in the transaction of its writes. */
  checkpoint(held: HeldKey & { readonly checkpoint: string }): SqlStatement
  /** Returns a row if `sweep` may find something. Costs a fraction of a `sweep` that finds nothing. */
  readonly expired: SqlStatement
  /** Deletes at most `limit` expired records and returns a row for each. */
  sweep(limit: number): SqlStatement
  /** Returns one row with the earliest `retain_until`, or null. */
  readonly oldest: SqlStatement
}

/** The text of SQLite's error when `guard` violates its constraint. */
export const LEASE_LOST = 'CHECK constraint failed: lease_lost'

/** Epoch milliseconds by SQLite's clock. The value is the same everywhere within one statement. */
const NOW = `CAST(round(unixepoch('subsec') * 1000) AS INTEGER)`

// `r` is the current record. `excluded` is the record that the claim would insert, so its counted_at is now.
const EXPIRED = '(r.retain_until <= excluded.counted_at AND r.lease_until <= excluded.counted_at)'
const SAME = `(r.state = 'processing' AND r.token = excluded.token)`
const BUSY = `(r.state = 'processing' AND r.token <> excluded.token AND r.lease_until > excluded.counted_at)`
const BUSY_BUT_NEW_ATTEMPT = `(excluded.counted_at - r.counted_at >= ?6)`
const DONE = `(r.state = 'done' OR (r.state = 'quarantined' AND NOT ?7))`

/**
 * How a table keeps its records. `clustered`: in the order of their keys, so a claim writes one row, and Cloudflare bills rows. `appended`: in
 * the order of their arrival and with an index on the key, so a group of new records changes few pages, and its completions no index.
 */
export type RecordLayout = 'clustered' | 'appended'

/** Builds the statements for the records of one namespace. `table` must be a name that needs no quotes. */
export function recordStatements(table: string, namespace: string, layout: RecordLayout): RecordStatements {
  const sql = recordSql(table, layout)
  const schema = [sql.table, sql.index].map((statement) => ({ sql: statement, values: [] }))
  return {
    schema,
    insert: ({ key, token, leaseMs, retainUntil }) => ({
      sql: sql.insert,
      values: [namespace, key, token, leaseMs, retainUntil],
    }),
    claim: ({ key, token, leaseMs, retainUntil, attemptGapMs, reprocess }) => ({
      sql: sql.claim,
      values: [namespace, key, token, leaseMs, retainUntil, attemptGapMs, reprocess ? 1 : 0],
    }),
    unclaimable: ({ key, token, attemptGapMs, reprocess }) => ({
      sql: sql.unclaimable,
      values: [namespace, key, token, attemptGapMs, reprocess ? 1 : 0],
    }),
    renew: ({ key, token, leaseMs, completedHandlers }) => ({
      sql: sql.renew,
      values: [namespace, key, token, names(completedHandlers), leaseMs],
    }),
    finish: ({ key, token, retainUntil }) => ({ sql: sql.finish, values: [namespace, key, token, retainUntil] }),
    complete: ({ key, token, retainUntil, quarantined, completedHandlers }) => ({
      sql: sql.complete,
      values: [namespace, key, token, names(completedHandlers), quarantined ? 'quarantined' : 'done', retainUntil],
    }),
    release: ({ key, token, completedHandlers, counted }) => ({
      sql: sql.release,
      values: [namespace, key, token, names(completedHandlers), counted ? 1 : 0],
    }),
    guard: ({ key, token }) => ({ sql: sql.guard, values: [namespace, key, token] }),
    checkpoint: ({ key, token, checkpoint }) => ({
      sql: sql.checkpoint,
      values: [namespace, key, token, names([checkpoint])],
    }),
    expired: { sql: sql.expired, values: [] },
    sweep: (limit) => ({ sql: sql.sweep, values: [limit] }),
    oldest: { sql: sql.oldest, values: [] },
  }
}

/** Reads the rows of `claim` or `unclaimable`. `token` is the caller's. `claim` returns no row for a finished delivery. */
export function readClaim([row]: readonly SqlRow[], token: string): ClaimResult {
  if (!row || row['state'] === 'done' || row['state'] === 'quarantined') return { status: 'done' }
  const { attempt, released_attempts: releasedAttempts, lease_until: until } = row as Record<string, number>
  // Stage 5 validates every result, so a corrupt row is refused there.
  if (row['token'] !== token) return { status: 'busy', until, attempt } as ClaimResult
  return {
    status: 'claimed',
    attempt,
    releasedAttempts,
    completedHandlers: JSON.parse(String(row['completed_handlers'])),
  } as ClaimResult
}

function names(completedHandlers: readonly string[] = []): string {
  return JSON.stringify([...new Set(completedHandlers)])
}

const RECORD = 'namespace = ?1 AND key = ?2'
const HELD = `${RECORD} AND token = ?3 AND state = 'processing'`

/** The union of the recorded names and the names in `?4`, in that order. */
const UNION = `(SELECT json_group_array(value) FROM (
    SELECT value FROM json_each(completed_handlers) UNION ALL
    SELECT value FROM json_each(?4) WHERE value NOT IN (SELECT value FROM json_each(completed_handlers))))`

function recordSql(table: string, layout: RecordLayout) {
  return {
    table: `CREATE TABLE IF NOT EXISTS ${table} (
  namespace TEXT NOT NULL,
  key TEXT NOT NULL,
  token TEXT NOT NULL CONSTRAINT lease_lost CHECK (token <> ''),
  state TEXT NOT NULL CHECK (state IN ('processing', 'released', 'done', 'quarantined')),
  attempt INTEGER NOT NULL,
  released_attempts INTEGER NOT NULL,
  counted_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  retain_until INTEGER NOT NULL,
  completed_handlers TEXT NOT NULL,
  PRIMARY KEY (namespace, key)
)${layout === 'clustered' ? ' WITHOUT ROWID' : ''}`,
    index: `CREATE INDEX IF NOT EXISTS ${table}_retain_until ON ${table} (retain_until)`,
    insert: `${insertSql(table)}\nON CONFLICT DO NOTHING`,
    claim: claimSql(table),
    unclaimable: `SELECT state, token, attempt, lease_until FROM ${table}
WHERE ${RECORD} AND iif(state = 'processing',
  token <> ?3 AND lease_until > ${NOW} AND counted_at > ${NOW} - ?4,
  retain_until > ${NOW} AND (state = 'done' OR (state = 'quarantined' AND NOT ?5)))`,
    renew: `UPDATE ${table} SET lease_until = ${NOW} + ?5, completed_handlers = ${UNION} WHERE ${HELD} RETURNING 1`,
    // Setting `retain_until` rewrites the index, even to the same value. The handlers of a finished record are never read.
    finish: `UPDATE ${table} SET state = 'done', lease_until = 0 WHERE ${HELD} AND retain_until >= ?4`,
    // A repeated completion with the same token (its response was lost) also returns a row and may only raise the retention.
    complete: `UPDATE ${table} SET
  state = iif(state = 'processing', ?5, state),
  completed_handlers = iif(state = 'processing', ${UNION}, completed_handlers),
  lease_until = 0,
  retain_until = max(retain_until, ?6)
WHERE ${RECORD} AND token = ?3 AND state <> 'released' RETURNING 1`,
    // A repeated release with the same token also returns a row, but changes nothing.
    release: `UPDATE ${table} SET
  state = 'released',
  completed_handlers = iif(state = 'processing', ${UNION}, completed_handlers),
  lease_until = 0,
  released_attempts = released_attempts + iif(state = 'processing', ?5, 0),
  attempt = attempt - iif(state = 'processing', 1 - ?5, 0)
WHERE ${RECORD} AND token = ?3 AND state IN ('processing', 'released') RETURNING 1`,
    guard: `INSERT INTO ${table} (namespace, key, token, state, attempt, released_attempts, counted_at, lease_until, retain_until, completed_handlers)
SELECT ?1, ?2, '', 'processing', 0, 0, 0, 0, 0, '[]' WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${HELD})`,
    checkpoint: `UPDATE ${table} SET completed_handlers = ${UNION} WHERE ${HELD}`,
    expired: `SELECT 1 FROM ${table} WHERE retain_until <= ${NOW} LIMIT 1`,
    sweep: `DELETE FROM ${table} WHERE (namespace, key) IN (
  SELECT namespace, key FROM ${table} WHERE retain_until <= ${NOW} AND lease_until <= ${NOW} ORDER BY retain_until LIMIT ?1)
RETURNING 1`,
    oldest: `SELECT min(retain_until) AS retain_until FROM ${table}`,
  }
}

function insertSql(table: string): string {
  return `INSERT INTO ${table} AS r
  (namespace, key, token, state, attempt, released_attempts, counted_at, lease_until, retain_until, completed_handlers)
VALUES (?1, ?2, ?3, 'processing', 1, 0, ${NOW}, ${NOW} + ?4, ?5, '[]')`
}

function claimSql(table: string): string {
  return `${insertSql(table)}
ON CONFLICT (namespace, key) DO UPDATE SET
  token = iif(${BUSY}, r.token, excluded.token),
  state = 'processing',
  attempt = CASE WHEN ${EXPIRED} THEN 1 WHEN ${SAME} THEN r.attempt
    WHEN ${BUSY} THEN r.attempt + ${BUSY_BUT_NEW_ATTEMPT} ELSE r.attempt + 1 END,
  released_attempts = iif(${EXPIRED}, 0, r.released_attempts),
  counted_at = CASE WHEN ${EXPIRED} THEN excluded.counted_at WHEN ${SAME} OR (${BUSY} AND NOT ${BUSY_BUT_NEW_ATTEMPT})
    THEN r.counted_at ELSE excluded.counted_at END,
  lease_until = iif(${BUSY}, r.lease_until, excluded.lease_until),
  retain_until = CASE WHEN ${BUSY} THEN r.retain_until WHEN ${EXPIRED} THEN excluded.retain_until
    ELSE max(r.retain_until, excluded.retain_until) END,
  completed_handlers = iif(${EXPIRED}, '[]', r.completed_handlers)
WHERE ${EXPIRED} OR NOT ${DONE}
RETURNING token, attempt, released_attempts, lease_until, completed_handlers`
}
