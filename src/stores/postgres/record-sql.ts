/**
 * The parts of SQL that single statements and groups share. Their parameters have the same numbers: $1 namespace, $2 key, $3
 * token, $4 lock timeout, $5 lease, $6 retention, $7 attempt gap, $8 reprocess. A group has arrays for $2, $3 and $6.
 */
import type { PostgresStatement } from './rows.js'

/** The database's time now, in epoch milliseconds. */
export const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

/** The row of a claim: see `readClaimRow`. */
export const CLAIM_COLUMNS = `encode(d.key, 'hex'), d.state, d.token, d.lease_until::text, d.attempt::text,
  d.released_attempts::text, array_to_json(d.completed_handlers)::text, (${NOW} - d.counted_at)::text`

/**
 * The verdict of a claim on the record `d`: `new` (the record expired), `unchanged` (finished, or held by another token),
 * `counted` (held by another token, and an attempt), `same` (a repeated claim) or `taken` (claimed).
 */
export function verdict(token: string, now: string): string {
  return `CASE
  WHEN d.retain_until <= ${now} AND (d.state <> 'processing' OR d.lease_until <= ${now}) THEN 'new'
  WHEN d.state = 'done' OR (d.state = 'quarantined' AND NOT $8::boolean) THEN 'unchanged'
  WHEN d.state = 'processing' AND d.token = ${token} THEN 'same'
  WHEN d.state = 'processing' AND d.lease_until > ${now} THEN CASE WHEN ${now} - d.counted_at >= $7 THEN 'counted' ELSE 'unchanged' END
  ELSE 'taken' END`
}

/** The columns of a record, in the order of `NEW_RECORD`. */
export const COLUMNS =
  'namespace, key, state, token, lease_until, retain_until, attempt, released_attempts, counted_at, completed_handlers'

/** The record of a first claim `i`. */
export const NEW_RECORD = `$1, i.key, 'processing', i.token, i.now + $5, i.retain, 1, 0, i.now, '{}'::text[]`

/** A claim of an existing record: locks it, judges it again and writes it. */
export const CLAIM_EXISTING = `ON CONFLICT (namespace, key) DO UPDATE SET
    (state, token, lease_until, retain_until, attempt, released_attempts, counted_at, completed_handlers) = (
    SELECT
      CASE WHEN v.is_refused THEN d.state ELSE 'processing' END,
      CASE WHEN v.is_refused THEN d.token ELSE excluded.token END,
      CASE WHEN v.is_refused THEN d.lease_until ELSE v.now + $5 END,
      CASE WHEN v.is_refused THEN d.retain_until WHEN v.verdict = 'new' THEN excluded.retain_until ELSE greatest(d.retain_until, excluded.retain_until) END,
      CASE v.verdict WHEN 'new' THEN 1 WHEN 'counted' THEN d.attempt + 1 WHEN 'taken' THEN d.attempt + 1 ELSE d.attempt END,
      CASE v.verdict WHEN 'new' THEN 0 ELSE d.released_attempts END,
      CASE WHEN v.verdict IN ('unchanged', 'same') THEN d.counted_at ELSE v.now END,
      CASE v.verdict WHEN 'new' THEN '{}' ELSE d.completed_handlers END
    FROM (SELECT j.now, j.verdict, j.verdict IN ('unchanged', 'counted') AS is_refused
      FROM (SELECT t.now, ${verdict('excluded.token', 't.now')} AS verdict FROM (SELECT ${NOW} AS now OFFSET 0) t OFFSET 0) j) v)
  RETURNING ${CLAIM_COLUMNS}`

/** The union of the recorded names and the names in the array `added`. */
export function union(added: string): string {
  return `d.completed_handlers || ARRAY(SELECT n FROM unnest(${added}::text[]) n WHERE n <> ALL (d.completed_handlers))`
}

/** Derives a statement's name from its text (FNV-1a, 2 × 32 bits), because stores with different tables may share a connection. */
export function prepare(text: string): Pick<PostgresStatement, 'name' | 'text'> {
  const hash = (start: number) => {
    let value = start
    for (let index = 0; index < text.length; index++)
      value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
    return value.toString(36)
  }
  return { name: `govalid_${hash(0x811c9dc5)}${hash(0x01234567)}`, text }
}
