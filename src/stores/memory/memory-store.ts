/**
 * The default store, in the memory of this process or isolate. Other processes don't share it, and a restart empties it.
 * A finished delivery takes about 32 bytes (see `finished-keys.ts`). The few unfinished deliveries are plain objects.
 */
import { type Clock, monotonicMs, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { ClaimRequest, ClaimResult, CompleteRequest, ReleaseRequest, RenewRequest, Store } from '../store.js'
import { createFinishedKeys } from './finished-keys.js'

/** The options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * The maximum number of deliveries. When the store is full, it evicts the delivery that finished first. It never evicts a
   * live claim. Default: 100,000.
   */
  readonly maxKeys?: number | undefined
  /** The clock. Tests inject their own. */
  readonly clock?: Clock | undefined
}

/** A store that stays full reports early evictions once an hour. */
const REPORT_EVERY_MS = 60 * 60 * 1000
const CHECKED_PER_CLAIM = 2

/** The time: retention is a matter of the wall clock, leases and gaps are durations and must not follow its jumps. */
interface Time {
  readonly epochMs: number
  readonly monotonicMs: number
}

interface Unfinished {
  token: string
  /** By the monotonic clock; 0 after a release or completion. */
  leaseUntil: number
  retainUntil: number
  attempt: number
  releasedAttempts: number
  /** By the monotonic clock. */
  countedAt: number
  completedHandlers: readonly string[]
  /** The delivery is in the quarantine: finished for the sender, claimable with `reprocess`. */
  isQuarantined: boolean
}

/**
 * Creates a store in memory. It is synchronous and keeps every rule of the store contract within one process.
 *
 * @throws WebhookError `option_invalid` if `maxKeys` isn't a whole number from 1 to 16,777,216.
 *
 * @example
 * ```ts
 * import { createReceiver, memoryStore } from 'govalid-webhooks'
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store: memoryStore({ maxKeys: 1_000_000 }) })
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxKeys = 100_000, clock = systemClock } = options
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1 || maxKeys > 2 ** 24) {
    throw new WebhookError('option_invalid', `maxKeys must be a whole number from 1 to ${2 ** 24}; it is ${maxKeys}.`)
  }
  const unfinished = new Map<string, Unfinished>()
  const finished = createFinishedKeys(maxKeys)
  const sweep = createSweep(unfinished)
  let reportedAt = Number.NEGATIVE_INFINITY
  const findHeld = (key: string, token: string): Unfinished | undefined => {
    const record = unfinished.get(key)
    return record && record.token === token && record.leaseUntil > 0 ? record : undefined
  }
  const wasCompletedWith = (key: string, token: string): boolean => {
    const record = unfinished.get(key)
    return record ? record.isQuarantined && record.token === token : finished.lastToken(key) === token
  }
  const wasReleasedWith = (key: string, token: string): boolean => {
    const record = unfinished.get(key)
    return record !== undefined && !record.isQuarantined && record.token === token
  }
  return {
    claim(request) {
      const now = readTime(clock)
      const { key } = request
      if (finished.has(key, now.epochMs)) return { status: 'done' }
      const record = unfinished.get(key)
      if (record && !isExpired(record, now)) return claimAgain(record, request, now)
      if (record) unfinished.delete(key)
      sweep(now)
      const isFull = unfinished.size >= maxKeys
      if (isFull && !evictIdle(unfinished, now))
        return { status: 'busy', until: now.epochMs + request.leaseMs, attempt: 1 }
      const created = createRecord(request, now)
      unfinished.set(key, created)
      const evictedEarly = finished.makeRoom(maxKeys - unfinished.size, now.epochMs) || isFull
      if (!evictedEarly || now.monotonicMs - reportedAt < REPORT_EVERY_MS) return claimed(created)
      reportedAt = now.monotonicMs
      return { ...claimed(created), evictedEarly }
    },
    renew({ key, token, leaseMs, completedHandlers = [] }: RenewRequest) {
      const record = findHeld(key, token)
      if (!record) return false
      record.leaseUntil = monotonicMs(clock) + leaseMs
      record.completedHandlers = union(record.completedHandlers, completedHandlers)
      return true
    },
    complete(request: CompleteRequest) {
      const { key, token, retainUntil } = request
      const record = findHeld(key, token)
      if (!record) return wasCompletedWith(key, token)
      const until = Math.max(record.retainUntil, retainUntil)
      if (request.quarantined) {
        const completedHandlers = union(record.completedHandlers, request.completedHandlers ?? [])
        Object.assign(record, { leaseUntil: 0, retainUntil: until, isQuarantined: true, completedHandlers })
        return true
      }
      unfinished.delete(key)
      finished.add(key, until, token)
      return true
    },
    release({ key, token, completedHandlers, counted }: ReleaseRequest) {
      const record = findHeld(key, token)
      if (!record) return wasReleasedWith(key, token)
      record.leaseUntil = 0
      record.completedHandlers = union(record.completedHandlers, completedHandlers)
      if (counted) record.releasedAttempts++
      else record.attempt--
      return true
    },
  }
}

function readTime(clock: Clock): Time {
  return { epochMs: clock.now(), monotonicMs: monotonicMs(clock) }
}

function createRecord({ token, leaseMs, retainUntil }: ClaimRequest, now: Time): Unfinished {
  return {
    token,
    leaseUntil: now.monotonicMs + leaseMs,
    retainUntil,
    attempt: 1,
    releasedAttempts: 0,
    countedAt: now.monotonicMs,
    completedHandlers: [],
    isQuarantined: false,
  }
}

function claimAgain(record: Unfinished, request: ClaimRequest, now: Time): ClaimResult {
  const { token, leaseMs, retainUntil, attemptGapMs, reprocess } = request
  if (record.isQuarantined && !reprocess) return { status: 'done' }
  if (record.leaseUntil > now.monotonicMs && record.token !== token) {
    if (now.monotonicMs - record.countedAt >= attemptGapMs) count(record, now)
    const until = now.epochMs + (record.leaseUntil - now.monotonicMs)
    return { status: 'busy', until, attempt: record.attempt }
  }
  // A repeated claim with the same token is the same attempt, because the first response was lost.
  if (!(record.token === token && record.leaseUntil > 0)) count(record, now)
  record.token = token
  record.leaseUntil = now.monotonicMs + leaseMs
  record.retainUntil = Math.max(record.retainUntil, retainUntil)
  record.isQuarantined = false
  return claimed(record)
}

function count(record: Unfinished, now: Time): void {
  record.attempt++
  record.countedAt = now.monotonicMs
}

function claimed({
  attempt,
  releasedAttempts,
  completedHandlers,
}: Unfinished): Extract<ClaimResult, { status: 'claimed' }> {
  return { status: 'claimed', attempt, releasedAttempts, completedHandlers }
}

/** A live claim outlasts its retention: the record expires only after its lease. */
function isExpired({ retainUntil, leaseUntil }: Unfinished, now: Time): boolean {
  return retainUntil <= now.epochMs && leaseUntil <= now.monotonicMs
}

/**
 * Creates a function that deletes expired records. It checks the next two records per call and starts over at the end, so
 * a long-lived record can't shield the records behind it. A claim adds at most one record, so failed and quarantined
 * deliveries take room from finished ones no longer than their retention.
 */
function createSweep(unfinished: Map<string, Unfinished>): (now: Time) => void {
  let round = unfinished.entries()
  return function sweep(now) {
    for (let checked = 0; checked < CHECKED_PER_CLAIM; checked++) {
      const { done, value } = round.next()
      if (done) round = unfinished.entries()
      else if (isExpired(value[1], now)) unfinished.delete(value[0])
    }
  }
}

/** Evicts the oldest idle record (released, or lease expired). Returns `false` if every record has a live lease. */
function evictIdle(unfinished: Map<string, Unfinished>, now: Time): boolean {
  for (const [key, record] of unfinished) {
    if (record.leaseUntil <= now.monotonicMs) return unfinished.delete(key)
  }
  return false
}

function union(known: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? known : [...new Set([...known, ...more])]
}
