/**
 * Part of stage 5: keeps a claim's lease alive while its handlers run or its completion is being written. A heartbeat every 10 s
 * survives four that fail before the lease of 55 s is over.
 */
import { type Clock, withTimeout } from '../clock.js'
import type { Store } from '../stores/store.js'

/** The time between two heartbeats, in milliseconds. */
export const HEARTBEAT_MS = 10_000

/** What a lease is kept for. */
export interface Lease {
  readonly store: Store<unknown>
  readonly clock: Clock
  readonly key: string
  readonly token: string
  readonly leaseMs: number
  readonly callMs: number
  /** Called once when another owner has the claim; the heartbeat has ended. */
  onLost(): void
}

/** Renews a lease now and every 10 s until the returned function is called. */
export function keepLease(lease: Lease): () => void {
  const { store, clock, key, token, leaseMs } = lease
  let ended = false
  let cancel = () => {}
  const beat = async () => {
    const renewed = await withTimeout(clock, lease.callMs, () => store.renew({ key, token, leaseMs }))
    if (ended) return
    if (renewed.status === 'value' && renewed.value === false) {
      lease.onLost()
      return
    }
    // A heartbeat that failed is not a lost claim: the next one may get through.
    cancel = clock.setTimer(HEARTBEAT_MS, () => void beat())
  }
  void beat()
  return () => {
    ended = true
    cancel()
  }
}
