/**
 * The store contract in Postgres's SQL, one statement per operation, correct at READ COMMITTED and above. A write locks the
 * row, reads the database's clock once, and only then decides.
 */

import type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  ReleaseRequest,
  RenewRequest,
  TransactionRequest,
} from '../store.js'
import type { PostgresStatement } from './connections.js'
import type { PostgresTables } from './tables.js'

/** The statements of one table and namespace. */
export interface RecordStatements {
  claim(request: ClaimRequest): PostgresStatement
  renew(request: RenewRequest): PostgresStatement
  complete(request: CompleteRequest): PostgresStatement
  release(request: ReleaseRequest): PostgresStatement
  /** Begins the transaction and marks it with the token of the claim. */
  begin(request: TransactionRequest, quote: (text: string) => string): string
  /**
   * Adds the checkpoint and commits, in one message. Its error contains `CLAIM_LOST` if the token doesn't hold the record, or
   * `TRANSACTION_ENDED` if the transaction isn't the one that `begin` opened.
   */
  commit(request: TransactionRequest, quote: (text: string) => string): string
  /** Deletes at most `limit` expired records and skips locked ones. */
  sweep(limit: number): PostgresStatement
}

/** The row that `claim` returns. */
export interface ClaimRow {
  readonly state: string
  readonly is_mine: boolean
  readonly lease_until: number
  readonly attempt: number
  readonly released_attempts: number
  readonly completed_handlers: readonly string[]
}

/** Markers in the error of a refused `commit`, which casts them to a number to make the statement fail. */
export const CLAIM_LOST = 'govalid-webhooks: claim lost'
export const TRANSACTION_ENDED = 'govalid-webhooks: transaction ended'

/** A setting that is local to the transaction, so it disappears when the transaction ends. */
const MARK = 'govalid_webhooks.claim'

const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
/** The same value for the whole statement, so that Postgres can use an index. */
const NOW_STABLE = 'floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint'

/**
 * The verdict of a claim on the record `d` at the time `t.now`: `new` (the record expired), `unchanged` (finished, or held by
 * another token), `counted` (held by another token, and an attempt), `same` (a repeated claim) or `taken` (claimed).
 */
const VERDICT = `CASE
  WHEN d.retain_until <= t.now AND (d.state <> 'processing' OR d.lease_until <= t.now) THEN 'new'
  WHEN d.state = 'done' OR (d.state = 'quarantined' AND NOT $8) THEN 'unchanged'
  WHEN d.state = 'processing' AND d.token = $3 THEN 'same'
  WHEN d.state = 'processing' AND d.lease_until > t.now THEN CASE WHEN t.now - d.counted_at >= $7 THEN 'counted' ELSE 'unchanged' END
  ELSE 'taken' END`

/** Builds the statements. They wait at most `lockLimitMs` for a locked row, so that no abandoned call is executed later. */
export function recordStatements(
  { deliveries: table }: PostgresTables,
  namespace: string,
  lockLimitMs: number,
): RecordStatements {
  const wait = String(lockLimitMs)
  const update = (set: string, states: string) => prepare(updateText(table, set, states))
  const claim = prepare(claimText(table))
  const renew = update(`lease_until = ${NOW} + $5, completed_handlers = ${union('$6')}`, `= 'processing'`)
  const complete = update(
    `state = CASE state WHEN 'processing' THEN $5 ELSE state END, retain_until = greatest(retain_until, $6),
  completed_handlers = CASE WHEN state <> 'processing' THEN completed_handlers WHEN $5 = 'done' THEN '{}' ELSE ${union('$7')} END`,
    `<> 'released'`,
  )
  const release = update(
    `state = 'released', released_attempts = released_attempts + $5, attempt = attempt - 1 + $5, completed_handlers = ${union('$6')}`,
    `= 'processing'`,
  )
  return {
    claim({ key, token, leaseMs, retainUntil, attemptGapMs, reprocess = false }) {
      const times = [Math.ceil(leaseMs), Math.ceil(retainUntil), Math.ceil(attemptGapMs)]
      return { ...claim, values: [namespace, key, token, wait, ...times, reprocess] }
    },
    renew: ({ key, token, leaseMs, completedHandlers = [] }) => ({
      ...renew,
      values: [namespace, key, token, wait, Math.ceil(leaseMs), completedHandlers],
    }),
    complete({ key, token, retainUntil, quarantined = false, completedHandlers = [] }) {
      const state = quarantined ? 'quarantined' : 'done'
      return { ...complete, values: [namespace, key, token, wait, state, Math.ceil(retainUntil), completedHandlers] }
    },
    release: ({ key, token, completedHandlers, counted }) => ({
      ...release,
      values: [namespace, key, token, wait, counted ? 1 : 0, completedHandlers],
    }),
    // A heartbeat updates the claim's row meanwhile. At a stricter level that would fail the commit.
    begin: ({ token }, quote) =>
      `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config('${MARK}', ${quote(token)}, true)`,
    commit: ({ key, token, checkpoint }, quote) =>
      commitText(table, {
        namespace: quote(namespace),
        key: quote(key),
        token: quote(token),
        checkpoint: quote(checkpoint),
      }),
    sweep: (limit) => ({ text: sweepText(table), values: [limit] }),
  }
}

/** Derives a statement's name from its text (FNV-1a, 2 × 32 bits), because stores with different tables may share a connection. */
function prepare(text: string): Pick<PostgresStatement, 'name' | 'text'> {
  const hash = (start: number) => {
    let value = start
    for (let index = 0; index < text.length; index++)
      value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
    return value.toString(36)
  }
  return { name: `govalid_${hash(0x811c9dc5)}${hash(0x01234567)}`, text }
}

/** Reads the row of `claim`. */
export function readClaim(row: ClaimRow | undefined): ClaimResult {
  if (!row) {
    throw new Error(
      'The claim returned no row, so a rule, a trigger or row-level security on the table suppressed it. Remove it from the table of the store. See docs/stores/postgres.md.',
    )
  }
  const {
    state,
    is_mine: isMine,
    lease_until: until,
    attempt,
    released_attempts: releasedAttempts,
    completed_handlers: completedHandlers,
  } = row
  if (state !== 'processing') return { status: 'done' }
  return isMine
    ? { status: 'claimed', attempt, releasedAttempts, completedHandlers }
    : { status: 'busy', until, attempt }
}

/**
 * $1 namespace, $2 key, $3 token, $4 lock timeout, $5 lease, $6 retention, $7 attempt gap, $8 reprocess.
 * A record that needs no change is read without a lock, because copies of one attempt arrive together and would wait for each
 * other's writes. Any other record is locked, judged again and written. Both ways return a row, so a missing row is an error.
 */
function claimText(table: string): string {
  const columns =
    'state, token = $3 AS is_mine, lease_until::double precision, attempt, released_attempts, completed_handlers'
  return `WITH seen AS (
  SELECT ${columns} FROM ${table} d, (SELECT ${NOW} AS now OFFSET 0) t
  WHERE namespace = $1 AND key = decode($2, 'hex') AND ${VERDICT} = 'unchanged'
), written AS (
  INSERT INTO ${table} AS d
    (namespace, key, state, token, lease_until, retain_until, attempt, released_attempts, counted_at, completed_handlers)
  SELECT $1, decode($2, 'hex'), 'processing', $3, t.now + $5, $6, 1, 0, t.now, '{}'
  FROM (SELECT ${NOW} AS now, set_config('lock_timeout', $4, true) OFFSET 0) t
  WHERE NOT EXISTS (SELECT FROM seen)
  ON CONFLICT (namespace, key) DO UPDATE SET
    (state, token, lease_until, retain_until, attempt, released_attempts, counted_at, completed_handlers) = (
    SELECT
      CASE WHEN v.is_refused THEN d.state ELSE 'processing' END,
      CASE WHEN v.is_refused THEN d.token ELSE $3 END,
      CASE WHEN v.is_refused THEN d.lease_until ELSE v.now + $5 END,
      CASE WHEN v.is_refused THEN d.retain_until WHEN v.verdict = 'new' THEN $6 ELSE greatest(d.retain_until, $6) END,
      CASE v.verdict WHEN 'new' THEN 1 WHEN 'counted' THEN d.attempt + 1 WHEN 'taken' THEN d.attempt + 1 ELSE d.attempt END,
      CASE v.verdict WHEN 'new' THEN 0 ELSE d.released_attempts END,
      CASE WHEN v.verdict IN ('unchanged', 'same') THEN d.counted_at ELSE v.now END,
      CASE v.verdict WHEN 'new' THEN '{}' ELSE d.completed_handlers END
    FROM (SELECT j.now, j.verdict, j.verdict IN ('unchanged', 'counted') AS is_refused
      FROM (SELECT t.now, ${VERDICT} AS verdict FROM (SELECT ${NOW} AS now OFFSET 0) t OFFSET 0) j) v)
  RETURNING ${columns}
)
SELECT * FROM seen UNION ALL SELECT * FROM written`
}

/** $1 namespace, $2 key, $3 token, $4 lock timeout. The values of `set` start at $5. */
function updateText(table: string, set: string, states: string): string {
  return `UPDATE ${table} d SET ${set}
FROM (SELECT set_config('lock_timeout', $4, true)) t
WHERE namespace = $1 AND key = decode($2, 'hex') AND token = $3 AND state ${states}`
}

/** The union of the recorded names and the names in the array `added`. */
function union(added: string): string {
  return `completed_handlers || ARRAY(SELECT n FROM unnest(${added}::text[]) n WHERE n <> ALL (completed_handlers))`
}

/**
 * An update, a cast that fails if nothing was updated, and COMMIT. They are one message, so a paused process never keeps the
 * row locked.
 */
function commitText(table: string, { namespace, key, token, checkpoint }: Record<string, string>): string {
  return `WITH claim AS (
  UPDATE ${table} SET completed_handlers = ${union(`ARRAY[${checkpoint}]`)}
  WHERE namespace = ${namespace} AND key = decode(${key}, 'hex') AND token = ${token} AND state = 'processing' RETURNING 1)
SELECT CASE
  WHEN current_setting('${MARK}', true) IS DISTINCT FROM ${token} THEN ('${TRANSACTION_ENDED} ' || count(*))::integer
  WHEN count(*) = 0 THEN ('${CLAIM_LOST} ' || count(*))::integer
  ELSE 1 END FROM claim;
COMMIT`
}

function sweepText(table: string): string {
  return `DELETE FROM ${table} WHERE (namespace, key) IN (
  SELECT namespace, key FROM ${table}
  WHERE retain_until <= ${NOW_STABLE} AND (state <> 'processing' OR lease_until <= ${NOW_STABLE})
  ORDER BY retain_until LIMIT $1 FOR UPDATE SKIP LOCKED)`
}
