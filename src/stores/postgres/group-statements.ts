/**
 * The statements of groups: many claims, or many renewals, completions and releases, in one statement. A group has each key
 * once, and never waits for a locked row: it returns no row for it, and the caller runs that operation alone.
 */
import type { ClaimRequest } from '../store.js'
import { CLAIM_COLUMNS, CLAIM_EXISTING, COLUMNS, NEW_RECORD, NOW, prepare, union, verdict } from './record-sql.js'
import type { RecordUpdate } from './record-statements.js'
import type { PostgresStatement } from './rows.js'
import type { PostgresTables } from './tables.js'

/** The statements of groups in one table and namespace. */
export interface GroupStatements {
  /** Claims several keys. The requests agree in everything but `key`, `token` and `retainUntil`. */
  claims(requests: readonly ClaimRequest[]): PostgresStatement
  /** Returns the key of each record that was updated. The token of any other record is wrong, or the record is locked. */
  updates(updates: readonly RecordUpdate[]): PostgresStatement
}

/** Only for a record that another process is inserting at the same time, in milliseconds. */
const LOCK_MS = '1000'

/** Builds the statements. */
export function groupStatements({ deliveries: table }: PostgresTables, namespace: string): GroupStatements {
  const claims = prepare(claimsText(table))
  const updates = prepare(updatesText(table))
  return {
    claims(requests) {
      const [{ leaseMs, attemptGapMs, reprocess = false }] = requests as [ClaimRequest]
      const tokens = requests.map(({ token }) => token)
      const retained = requests.map(({ retainUntil }) => Math.ceil(retainUntil))
      const times = [Math.ceil(leaseMs), retained, Math.ceil(attemptGapMs)]
      return { ...claims, values: [namespace, keysOf(requests), tokens, LOCK_MS, ...times, reprocess] }
    },
    updates(requests) {
      const tokens = requests.map(({ token }) => token)
      const actions = requests.map(({ action }) => action)
      const amounts = requests.map(({ amount }) => amount)
      const names = requests.map((request) => toArrayLiteral(request.names))
      return { ...updates, values: [namespace, keysOf(requests), tokens, LOCK_MS, actions, amounts, names] }
    },
  }
}

function keysOf(requests: readonly { readonly key: string }[]): readonly string[] {
  return requests.map(({ key }) => key)
}

/** Postgres has no arrays of arrays of different lengths, so each operation's names are the text of an array. */
function toArrayLiteral(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/**
 * A LATERAL subquery with OFFSET 0 looks up each key in the primary key's index, even if the planner misjudges the size
 * of the table. The order of the keys keeps two groups from waiting for each other.
 */
function claimsText(table: string): string {
  return `WITH input AS MATERIALIZED (
  SELECT decode(u.hex, 'hex') AS key, u.token, u.retain, t.now
  FROM (SELECT ${NOW} AS now, set_config('lock_timeout', $4, true) OFFSET 0) t,
    unnest($2::text[], $3::text[], $6::bigint[]) AS u(hex, token, retain)
), known AS MATERIALIZED (
  SELECT d.*, ${verdict('i.token', 'i.now')} AS verdict
  FROM input i CROSS JOIN LATERAL (SELECT * FROM ${table} d WHERE d.namespace = $1 AND d.key = i.key OFFSET 0) d
), locked AS MATERIALIZED (
  SELECT k.key FROM known k CROSS JOIN LATERAL (
    SELECT FROM ${table} d WHERE d.namespace = $1 AND d.key = k.key FOR UPDATE SKIP LOCKED) d
  WHERE k.verdict <> 'unchanged'
), written AS (
  INSERT INTO ${table} AS d (${COLUMNS})
  SELECT ${NEW_RECORD} FROM input i
  WHERE i.key NOT IN (SELECT key FROM known EXCEPT SELECT key FROM locked)
  ORDER BY i.key
  ${CLAIM_EXISTING}
)
SELECT ${CLAIM_COLUMNS} FROM known d WHERE d.verdict = 'unchanged' UNION ALL SELECT * FROM written`
}

/**
 * $5 actions, $6 amounts, $7 names. An upsert that always finds its record, because its conflict uses the primary key's
 * index. A join could scan the table.
 */
function updatesText(table: string): string {
  return `WITH input AS MATERIALIZED (
  SELECT decode(u.hex, 'hex') AS key, u.token, u.action, u.amount, u.names::text[] AS names, t.now
  FROM (SELECT ${NOW} AS now, set_config('lock_timeout', $4, true) OFFSET 0) t,
    unnest($2::text[], $3::text[], $5::text[], $6::bigint[], $7::text[]) AS u(hex, token, action, amount, names)
), locked AS MATERIALIZED (
  SELECT i.* FROM input i CROSS JOIN LATERAL (
    SELECT FROM ${table} d WHERE d.namespace = $1 AND d.key = i.key AND d.token = i.token
      AND CASE i.action WHEN 'renew' THEN d.state = 'processing' WHEN 'released' THEN d.state IN ('processing', 'released')
        ELSE d.state <> 'released' END FOR UPDATE SKIP LOCKED) d
)
INSERT INTO ${table} AS d (${COLUMNS})
SELECT $1, key, action, token, now + amount, amount, 0, CASE action WHEN 'released' THEN amount ELSE 0 END, 0, names
FROM locked ORDER BY key
ON CONFLICT (namespace, key) DO UPDATE SET
  state = CASE WHEN excluded.state = 'renew' OR d.state <> 'processing' THEN d.state ELSE excluded.state END,
  lease_until = CASE excluded.state WHEN 'renew' THEN excluded.lease_until ELSE d.lease_until END,
  retain_until = CASE WHEN excluded.state IN ('done', 'quarantined') THEN greatest(d.retain_until, excluded.retain_until) ELSE d.retain_until END,
  attempt = CASE WHEN excluded.state = 'released' AND d.state = 'processing' THEN d.attempt - 1 + excluded.released_attempts ELSE d.attempt END,
  released_attempts = CASE d.state WHEN 'processing' THEN d.released_attempts + excluded.released_attempts ELSE d.released_attempts END,
  completed_handlers = CASE WHEN d.state <> 'processing' THEN d.completed_handlers WHEN excluded.state = 'done' THEN '{}'
    ELSE ${union('excluded.completed_handlers')} END
RETURNING encode(d.key, 'hex')`
}
