/** Reads the rows of claims, and decides claims that arrived together with the first claim of their record. */
import type { ClaimRequest, ClaimResult } from '../store.js'
import type { PostgresRows } from './rows.js'

/** A record after a claim. */
export interface ClaimedRecord {
  readonly key: string
  readonly state: string
  /** The token of the last claim. */
  readonly token: string
  readonly leaseUntil: number
  readonly attempt: number
  readonly releasedAttempts: number
  readonly completedHandlers: readonly string[]
  /** How long ago the last attempt was counted, in milliseconds. */
  readonly countedMsAgo: number
}

/** Reads a row of `CLAIM_COLUMNS`. */
export function readRecord(row: PostgresRows['rows'][number]): ClaimedRecord {
  const [key, state, token, leaseUntil, attempt, releasedAttempts, names, countedMsAgo] = row as readonly string[]
  return {
    key: String(key),
    state: String(state),
    token: String(token),
    leaseUntil: Number(leaseUntil),
    attempt: Number(attempt),
    releasedAttempts: Number(releasedAttempts),
    completedHandlers: JSON.parse(String(names)) as readonly string[],
    countedMsAgo: Number(countedMsAgo),
  }
}

/** Returns what a record means for the claim with this token. */
export function toClaimResult(record: ClaimedRecord, token: string): ClaimResult {
  const { state, leaseUntil: until, attempt, releasedAttempts, completedHandlers } = record
  if (state !== 'processing') return { status: 'done' }
  if (record.token !== token) return { status: 'busy', until, attempt }
  return { status: 'claimed', attempt, releasedAttempts, completedHandlers }
}

/**
 * Whether a claim that came right after the claim that returned this record would change nothing: the delivery is done, or another
 * token holds it and its last attempt was counted recently. Only the database can decide any other claim. The token's own claim
 * extends the lease and the retention.
 */
export function isUnchangedBy(record: ClaimedRecord, { token, attemptGapMs }: ClaimRequest): boolean {
  return record.state !== 'processing' || (record.token !== token && record.countedMsAgo < attemptGapMs)
}
