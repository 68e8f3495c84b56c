/**
 * The store contract in SQLite's SQL, one statement a step: what the drivers have in common whose database is an SQLite.
 * In: a step's request. Out: a statement and its values; how it is run is the driver's business. The clock is SQLite's own.
 */
import type { ClaimRequest, ClaimResult, CompleteRequest, ReleaseRequest, RenewRequest } from '../store.js'

/** What can be bound to a statement. */
export type SqlValue = string | number | null | Uint8Array

/** A row as SQLite gives it back. */
export type SqlRow = Readonly<Record<string, unknown>>

/** A statement and its values, in the order of its parameters `?1`, `?2` … */
export interface SqlStatement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** Which claim a step is about. */
interface HeldKey {
  readonly key: string
  readonly token: string
}

/** The statements of one table of deliveries. */
export interface RecordStatements {
  /** Creates what is missing; may run any number of times. */
  readonly schema: readonly SqlStatement[]
  /** Claims; give its rows to `readClaim`. */
  claim(request: ClaimRequest): SqlStatement
  /** One row, for `readClaim`, when a claim would change nothing: the delivery is finished, or busy and no try is counted. */
  unclaimable(request: ClaimRequest): SqlStatement
  /** One row when the token holds the record. */
  renew(request: RenewRequest): SqlStatement
  /** One row when the token holds the record and its retention is long enough: the same as `complete`, but for the index. Not for a quarantine. */
  finish(request: CompleteRequest): SqlStatement
  /** One row when the token holds the record, or has completed it before. */
  complete(request: CompleteRequest): SqlStatement
  /** One row when the token holds the record. */
  release(request: ReleaseRequest): SqlStatement
  /** Breaks the constraint `lease_lost`, and with it the transaction it is in, when the token does not hold the record. */
  guard(held: HeldKey): SqlStatement
  /** Marks one handler as done, in the transaction of its writes. */
  checkpoint(held: HeldKey & { readonly checkpoint: string }): SqlStatement
  /** Forgets at most `limit` records whose retention is over; one row for each. */
  sweep(limit: number): SqlStatement
  /** One row: the `retain_until` that is over next, or null. */
  readonly oldest: SqlStatement
}

/** The constraint that `guard` breaks, as SQLite names it in its error. */
export const LEASE_LOST = 'CHECK constraint failed: lease_lost'

/** Milliseconds since 1970 by SQLite's clock; the same wherever it stands within one statement. */
const NOW = `CAST(round(unixepoch('subsec') * 1000) AS INTEGER)`

// `r` is the record as it is, `excluded` the one a claim would write: its counted_at is now.
const EXPIRED = '(r.retain_until <= excluded.counted_at AND r.lease_until <= excluded.counted_at)'
const SAME = `(r.state = 'processing' AND r.token = excluded.token)`
const BUSY = `(r.state = 'processing' AND r.token <> excluded.token AND r.lease_until > excluded.counted_at)`
const BUSY_BUT_NEW_ATTEMPT = `(excluded.counted_at - r.counted_at >= ?6)`
const DONE = `(r.state = 'done' OR (r.state = 'quarantined' AND NOT ?7))`

/** The statements for `table`, a name that needs no quoting, and the records of one namespace in it. */
export function recordStatements(table: string, namespace: string): RecordStatements {
  const sql = recordSql(table)
  const schema = [sql.table, sql.index].map((statement) => ({ sql: statement, values: [] }))
  return {
    schema,
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
    sweep: (limit) => ({ sql: sql.sweep, values: [limit] }),
    oldest: { sql: sql.oldest, values: [] },
  }
}

/** Reads the rows that `claim` or `unclaimable` gave back for the claimer's own token. A finished delivery gives `claim` none: it is not touched. */
export function readClaim([row]: readonly SqlRow[], token: string): ClaimResult {
  if (!row || row['state'] === 'done' || row['state'] === 'quarantined') return { status: 'done' }
  const { attempt, released_attempts: releasedAttempts, lease_until: until } = row as Record<string, number>
  // Whatever is wrong with a row is refused by stage 5, which looks at every answer.
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

const WHICH = 'namespace = ?1 AND key = ?2'
const HELD = `${WHICH} AND token = ?3 AND state = 'processing'`

/** The names known so far and then the new ones of `?4`, each once. */
const UNION = `(SELECT json_group_array(value) FROM (
    SELECT value FROM json_each(completed_handlers) UNION ALL
    SELECT value FROM json_each(?4) WHERE value NOT IN (SELECT value FROM json_each(completed_handlers))))`

function recordSql(table: string) {
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
) WITHOUT ROWID`,
    index: `CREATE INDEX IF NOT EXISTS ${table}_retain_until ON ${table} (retain_until)`,
    claim: claimSql(table),
    unclaimable: `SELECT state, token, attempt, lease_until FROM ${table}
WHERE ${WHICH} AND iif(state = 'processing',
  token <> ?3 AND lease_until > ${NOW} AND counted_at > ${NOW} - ?4,
  retain_until > ${NOW} AND (state = 'done' OR (state = 'quarantined' AND NOT ?5)))`,
    renew: `UPDATE ${table} SET lease_until = ${NOW} + ?5, completed_handlers = ${UNION} WHERE ${HELD} RETURNING 1`,
    // To set `retain_until` writes the index too, whatever it is set to. Nobody asks for the handlers of a finished record.
    finish: `UPDATE ${table} SET state = 'done', lease_until = 0 WHERE ${HELD} AND retain_until >= ?4 RETURNING 1`,
    // Completed before by the same token, its answer lost: true again, and nothing but the retention can change.
    complete: `UPDATE ${table} SET
  state = iif(state = 'processing', ?5, state),
  completed_handlers = iif(state = 'processing', ${UNION}, completed_handlers),
  lease_until = 0,
  retain_until = max(retain_until, ?6)
WHERE ${WHICH} AND token = ?3 AND state <> 'released' RETURNING 1`,
    release: `UPDATE ${table} SET state = 'released', lease_until = 0, completed_handlers = ${UNION},
  released_attempts = released_attempts + ?5, attempt = attempt - (1 - ?5)
WHERE ${HELD} RETURNING 1`,
    guard: `INSERT INTO ${table} (namespace, key, token, state, attempt, released_attempts, counted_at, lease_until, retain_until, completed_handlers)
SELECT ?1, ?2, '', 'processing', 0, 0, 0, 0, 0, '[]' WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${HELD})`,
    checkpoint: `UPDATE ${table} SET completed_handlers = ${UNION} WHERE ${HELD}`,
    sweep: `DELETE FROM ${table} WHERE (namespace, key) IN (
  SELECT namespace, key FROM ${table} WHERE retain_until <= ${NOW} AND lease_until <= ${NOW} ORDER BY retain_until LIMIT ?1)
RETURNING 1`,
    oldest: `SELECT min(retain_until) AS retain_until FROM ${table}`,
  }
}

function claimSql(table: string): string {
  return `INSERT INTO ${table} AS r
  (namespace, key, token, state, attempt, released_attempts, counted_at, lease_until, retain_until, completed_handlers)
VALUES (?1, ?2, ?3, 'processing', 1, 0, ${NOW}, ${NOW} + ?4, ?5, '[]')
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
