/**
 * The default store: this process's (or isolate's) own memory. Other processes do not see it, and a restart forgets it.
 * Finished deliveries cost about 32 bytes each (see `finished-keys.ts`); the few that are being worked or tried again are plain objects.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { ClaimRequest, ClaimResult, CompleteRequest, ReleaseRequest, RenewRequest, Store } from '../store.js'
import { createFinishedKeys } from './finished-keys.js'

/** What `memoryStore` takes. */
export interface MemoryStoreOptions {
  /** How many deliveries are remembered. When full, the one finished longest ago goes; a live claim never does. Default: 100,000. */
  readonly maxKeys?: number
  /** The clock, for tests. */
  readonly clock?: Clock
}

/** A store that is full for long is told of once an hour. */
const TELL_EVERY_MS = 60 * 60 * 1000
const LOOKED_AT_PER_CLAIM = 2

interface Unfinished {
  token: string
  /** Epoch milliseconds; 0 when released. */
  leaseUntil: number
  retainUntil: number
  attempt: number
  releasedAttempts: number
  countedAt: number
  completedHandlers: readonly string[]
  /** Given to the quarantine: finished for the sender, but claimable for a rework. */
  quarantined: boolean
}

/**
 * Makes a store in memory. Synchronous; keeps every rule of the store contract within one process.
 *
 * @throws WebhookError `option_invalid` when `maxKeys` is no whole number from 1 to 16,777,216.
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
  const forgetSome = createSweep(unfinished)
  let toldAt = Number.NEGATIVE_INFINITY
  const held = (key: string, token: string): Unfinished | undefined => {
    const record = unfinished.get(key)
    return record && record.token === token && record.leaseUntil > 0 ? record : undefined
  }
  const wasCompletedWith = (key: string, token: string): boolean => {
    const record = unfinished.get(key)
    return record ? record.quarantined && record.token === token : finished.lastToken(key) === token
  }
  return {
    claim(request) {
      const now = clock.now()
      const { key } = request
      if (finished.has(key, now)) return { status: 'done' }
      const record = unfinished.get(key)
      if (record && !isOver(record, now)) return claimAgain(record, request, now)
      if (record) unfinished.delete(key)
      forgetSome(now)
      const isFull = unfinished.size >= maxKeys
      if (isFull && !dropIdle(unfinished, now)) return { status: 'busy', until: now + request.leaseMs, attempt: 1 }
      const fresh = createRecord(request, now)
      unfinished.set(key, fresh)
      const evictedEarly = finished.makeRoom(maxKeys - unfinished.size, now) || isFull
      if (!evictedEarly || now - toldAt < TELL_EVERY_MS) return claimed(fresh)
      toldAt = now
      return { ...claimed(fresh), evictedEarly }
    },
    renew({ key, token, leaseMs, completedHandlers = [] }: RenewRequest) {
      const record = held(key, token)
      if (!record) return false
      record.leaseUntil = clock.now() + leaseMs
      record.completedHandlers = union(record.completedHandlers, completedHandlers)
      return true
    },
    complete(request: CompleteRequest) {
      const { key, token, retainUntil } = request
      const record = held(key, token)
      if (!record) return wasCompletedWith(key, token)
      const until = Math.max(record.retainUntil, retainUntil)
      if (request.quarantined) {
        const completedHandlers = union(record.completedHandlers, request.completedHandlers ?? [])
        Object.assign(record, { leaseUntil: 0, retainUntil: until, quarantined: true, completedHandlers })
        return true
      }
      unfinished.delete(key)
      finished.add(key, until, token)
      return true
    },
    release({ key, token, completedHandlers, counted }: ReleaseRequest) {
      const record = held(key, token)
      if (!record) return false
      record.leaseUntil = 0
      record.completedHandlers = union(record.completedHandlers, completedHandlers)
      if (counted) record.releasedAttempts++
      else record.attempt--
      return true
    },
  }
}

function createRecord({ token, leaseMs, retainUntil }: ClaimRequest, now: number): Unfinished {
  return {
    token,
    leaseUntil: now + leaseMs,
    retainUntil,
    attempt: 1,
    releasedAttempts: 0,
    countedAt: now,
    completedHandlers: [],
    quarantined: false,
  }
}

function claimAgain(record: Unfinished, request: ClaimRequest, now: number): ClaimResult {
  const { token, leaseMs, retainUntil, attemptGapMs, reprocess } = request
  if (record.quarantined && !reprocess) return { status: 'done' }
  if (record.leaseUntil > now && record.token !== token) {
    if (now - record.countedAt >= attemptGapMs) count(record, now)
    return { status: 'busy', until: record.leaseUntil, attempt: record.attempt }
  }
  // The same token again: its answer was lost. It is the same claim, and the same try.
  if (!(record.token === token && record.leaseUntil > 0)) count(record, now)
  record.token = token
  record.leaseUntil = now + leaseMs
  record.retainUntil = Math.max(record.retainUntil, retainUntil)
  record.quarantined = false
  return claimed(record)
}

function count(record: Unfinished, now: number): void {
  record.attempt++
  record.countedAt = now
}

function claimed({
  attempt,
  releasedAttempts: released,
  completedHandlers,
}: Unfinished): Extract<ClaimResult, { status: 'claimed' }> {
  return { status: 'claimed', attempt, releasedAttempts: released, completedHandlers }
}

/** A claim that is being worked is known to its lease's end, whatever its retention. */
function isOver({ retainUntil, leaseUntil }: Unfinished, now: number): boolean {
  return Math.max(retainUntil, leaseUntil) <= now
}

/**
 * Forgets what is over: looks at two records a call and goes round, so that nothing is passed over for what was before it. A claim adds one
 * record at most, so what failed or was given to the quarantine takes no room from finished deliveries for longer than its retention.
 */
function createSweep(unfinished: Map<string, Unfinished>): (now: number) => void {
  let round = unfinished.entries()
  return function forgetSome(now) {
    for (let looked = 0; looked < LOOKED_AT_PER_CLAIM; looked++) {
      const { done, value } = round.next()
      if (done) round = unfinished.entries()
      else if (isOver(value[1], now)) unfinished.delete(value[0])
    }
  }
}

/** Makes room by forgetting the oldest record that nobody works, released or with its lease over; `false` when all are live. */
function dropIdle(unfinished: Map<string, Unfinished>, now: number): boolean {
  for (const [key, record] of unfinished) {
    if (record.leaseUntil <= now) return unfinished.delete(key)
  }
  return false
}

function union(known: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? known : [...new Set([...known, ...more])]
}
