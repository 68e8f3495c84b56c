/** The store for `createReceiver({ store: false })`. It keeps no records, so every delivery is a first attempt. */
import type { Store } from './store.js'

/** A store that keeps no records: every claim succeeds and every write returns `true`. */
export const noStore: Store = {
  claim: () => ({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }),
  renew: () => true,
  complete: () => true,
  release: () => true,
}
