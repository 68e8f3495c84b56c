/**
 * Part of stage 5: keeps a claim's lease alive while handlers run or a completion is being written. With a heartbeat every 10 s, four
 * heartbeats may fail before the lease of 55 s expires.
 */
import { monotonicMs, withTimeout } from '../clock.js'
import { type ClaimedAttempt, MAX_CALL_MS } from './verified-event.js'

/** How long a claim holds without being renewed: less than the minute between two attempts. */
export const LEASE_MS = 55_000
/** How long before its end a lease is no longer taken for granted, in milliseconds. */
const SAFETY_MS = 5000
/** The time between two heartbeats, in milliseconds. */
export const HEARTBEAT_MS = 10_000

/**
 * Renews the attempt's lease now and every 10 s, until `attempt.endLease` is called. Does nothing if the lease is already being kept.
 * `onLost` is called once if another process has claimed the delivery; the heartbeat has ended then.
 */
export function keepLease(attempt: ClaimedAttempt, onLost: () => void): void {
  attempt.endLease ??= startHeartbeat(attempt, onLost)
}

function startHeartbeat({ services, claim }: ClaimedAttempt, onLost: () => void): () => void {
  const { store, settings } = services
  const { key, token } = claim
  let hasEnded = false
  let cancel = () => {}
  const beat = async () => {
    // A closed receiver lets the lease expire.
    if (services.inFlight.isAbandoned()) return
    const askedAt = monotonicMs(settings.clock)
    const renew = () => store.renew({ key, token, leaseMs: LEASE_MS, waitMs: MAX_CALL_MS })
    const renewed = await withTimeout(settings.clock, MAX_CALL_MS, renew)
    if (renewed.status === 'value' && renewed.value) claim.confirmedAt = askedAt
    if (hasEnded) return
    if (renewed.status === 'value' && renewed.value === false) {
      onLost()
      return
    }
    // A failed heartbeat doesn't lose the claim: the next one may succeed.
    const elapsedMs = monotonicMs(settings.clock) - askedAt
    cancel = settings.clock.setTimer(Math.max(0, HEARTBEAT_MS - elapsedMs), () => void beat())
  }
  void beat()
  return () => {
    hasEnded = true
    cancel()
  }
}

/**
 * Whether the attempt still holds its claim. The store is asked only if the lease may have expired, for example because the process was
 * frozen. If the store can't tell, the claim counts as held: a second entry in the quarantine is better than a lost delivery. Never rejects.
 */
export async function isClaimHeld({ services, claim }: ClaimedAttempt): Promise<boolean> {
  const { store, settings } = services
  if (monotonicMs(settings.clock) - claim.confirmedAt < LEASE_MS - SAFETY_MS) return true
  const { key, token } = claim
  const renew = () => store.renew({ key, token, leaseMs: LEASE_MS, waitMs: MAX_CALL_MS })
  const renewed = await withTimeout(settings.clock, MAX_CALL_MS, renew)
  return renewed.status !== 'value' || renewed.value !== false
}
