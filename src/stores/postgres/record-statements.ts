/**
 * The store contract in Postgres's SQL, one statement per operation, correct at READ COMMITTED and above. A write locks the
 * row, reads the database's clock once, and only then decides.
 */
import type { ClaimRequest, CompleteRequest, ReleaseRequest, RenewRequest, TransactionRequest } from '../store.js'
import { CLAIM_COLUMNS, CLAIM_EXISTING, COLUMNS, NEW_RECORD, NOW, prepare, union, verdict } from './record-sql.js'
import type { PostgresStatement } from './rows.js'
import type { PostgresTables } from './tables.js'

/** The statements of one table and namespace. `lockMs` is how long a statement waits for a locked row. */
export interface RecordStatements {
  claim(request: ClaimRequest, lockMs: number): PostgresStatement
  update(update: RecordUpdate, lockMs: number): PostgresStatement
  /** Begins the transaction, marks it with the token of the claim, and returns whether it is read-only, in one message. */
  begin(request: TransactionRequest, quote: (text: string) => string): string
  /**
   * Adds the checkpoint and commits, in one message. Its error contains `CLAIM_LOST` if the token doesn't hold the record, or
   * `TRANSACTION_ENDED` if the transaction isn't the one that `begin` opened.
   */
  commit(request: TransactionRequest, quote: (text: string) => string): string
  /** Deletes at most `limit` expired records and skips locked ones. */
  sweep(limit: number): PostgresStatement
}

/** A renewal, completion or release of a claimed record. */
export interface RecordUpdate {
  readonly key: string
  readonly token: string
  /** `renew`, or the new state of the record. */
  readonly action: 'renew' | 'done' | 'quarantined' | 'released'
  /** The lease in milliseconds, the retention in epoch milliseconds, or 1 for a counted release and 0 for an uncounted one. */
  readonly amount: number
  readonly names: readonly string[]
}

/** Converts a renewal to an update. */
export function toRenewal({ key, token, leaseMs, completedHandlers: names = [] }: RenewRequest): RecordUpdate {
  return { key, token, action: 'renew', amount: Math.ceil(leaseMs), names }
}

/** Converts a completion to an update. */
export function toCompletion(request: CompleteRequest): RecordUpdate {
  const { key, token, retainUntil, quarantined, completedHandlers: names = [] } = request
  return { key, token, action: quarantined ? 'quarantined' : 'done', amount: Math.ceil(retainUntil), names }
}

/** Converts a release to an update. */
export function toRelease({ key, token, counted, completedHandlers: names }: ReleaseRequest): RecordUpdate {
  return { key, token, action: 'released', amount: counted ? 1 : 0, names }
}

/** Markers in the error of a refused `commit`, which casts them to a number to make the statement fail. */
export const CLAIM_LOST = 'govalid-webhooks: claim lost'
export const TRANSACTION_ENDED = 'govalid-webhooks: transaction ended'

/** A setting that is local to the transaction, so it disappears when the transaction ends. */
const MARK = 'govalid_webhooks.claim'

/** Builds the statements. */
export function recordStatements({ deliveries: table }: PostgresTables, namespace: string): RecordStatements {
  const update = (set: string, states: string) => prepare(updateText(table, set, states))
  const claim = prepare(claimText(table))
  const complete = update(
    `state = CASE state WHEN 'processing' THEN $7 ELSE state END, retain_until = greatest(retain_until, $5),
  completed_handlers = CASE WHEN state <> 'processing' THEN completed_handlers WHEN $7 = 'done' THEN '{}' ELSE ${union('$6')} END`,
    `<> 'released'`,
  )
  const release = update(
    `state = 'released', released_attempts = released_attempts + CASE state WHEN 'processing' THEN $5 ELSE 0 END,
  attempt = attempt - CASE state WHEN 'processing' THEN 1 - $5 ELSE 0 END,
  completed_handlers = CASE state WHEN 'processing' THEN ${union('$6')} ELSE completed_handlers END`,
    `IN ('processing', 'released')`,
  )
  const renew = update(`lease_until = ${NOW} + $5, completed_handlers = ${union('$6')}`, `= 'processing'`)
  const updates = { renew, released: release, done: complete, quarantined: complete }
  return {
    claim({ key, token, leaseMs, retainUntil, attemptGapMs, reprocess = false }, lockMs) {
      const times = [Math.ceil(leaseMs), Math.ceil(retainUntil), Math.ceil(attemptGapMs)]
      return { ...claim, values: [namespace, key, token, String(lockMs), ...times, reprocess] }
    },
    update({ key, token, action, amount, names }, lockMs) {
      const states = action === 'done' || action === 'quarantined' ? [action] : []
      return { ...updates[action], values: [namespace, key, token, String(lockMs), amount, names, ...states] }
    },
    // A heartbeat updates the claim's row meanwhile. At a stricter level that would fail the commit.
    begin: ({ token }, quote) =>
      `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config('${MARK}', ${quote(token)}, true), current_setting('transaction_read_only')`,
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

/**
 * A record that needs no change is read without a lock, because copies of one attempt arrive together and would wait for each
 * other's writes. Any other record is locked, judged again and written. Both ways return a row, so a missing row is an error.
 */
function claimText(table: string): string {
  return `WITH seen AS (
  SELECT ${CLAIM_COLUMNS} FROM ${table} d, (SELECT ${NOW} AS now OFFSET 0) t
  WHERE d.namespace = $1 AND d.key = decode($2, 'hex') AND ${verdict('$3', 't.now')} = 'unchanged'
), written AS (
  INSERT INTO ${table} AS d (${COLUMNS})
  SELECT ${NEW_RECORD}
  FROM (SELECT decode($2, 'hex') AS key, $3 AS token, $6::bigint AS retain, ${NOW} AS now, set_config('lock_timeout', $4, true) OFFSET 0) i
  WHERE NOT EXISTS (SELECT FROM seen)
  ${CLAIM_EXISTING}
)
SELECT * FROM seen UNION ALL SELECT * FROM written`
}

/** $1 namespace, $2 key, $3 token, $4 lock timeout. The values of `set` start at $5. */
function updateText(table: string, set: string, states: string): string {
  return `UPDATE ${table} d SET ${set}
FROM (SELECT set_config('lock_timeout', $4, true)) t
WHERE namespace = $1 AND key = decode($2, 'hex') AND token = $3 AND state ${states}`
}

/**
 * An update, a cast that fails if nothing was updated, and COMMIT. They are one message, so a paused process never keeps the
 * row locked.
 */
function commitText(table: string, { namespace, key, token, checkpoint }: Record<string, string>): string {
  return `WITH claim AS (
  UPDATE ${table} d SET completed_handlers = ${union(`ARRAY[${checkpoint}]`)}
  WHERE namespace = ${namespace} AND key = decode(${key}, 'hex') AND token = ${token} AND state = 'processing' RETURNING 1)
SELECT CASE
  WHEN current_setting('${MARK}', true) IS DISTINCT FROM ${token} THEN ('${TRANSACTION_ENDED} ' || count(*))::integer
  WHEN count(*) = 0 THEN ('${CLAIM_LOST} ' || count(*))::integer
  ELSE 1 END FROM claim;
COMMIT`
}

/** The same value for the whole statement, so that Postgres can use an index. */
const NOW_STABLE = 'floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint'

function sweepText(table: string): string {
  return `DELETE FROM ${table} WHERE (namespace, key) IN (
  SELECT namespace, key FROM ${table}
  WHERE retain_until <= ${NOW_STABLE} AND (state <> 'processing' OR lease_until <= ${NOW_STABLE})
  ORDER BY retain_until LIMIT $1 FOR UPDATE SKIP LOCKED)`
}
