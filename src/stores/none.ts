/** No store: every delivery is a first try. For `createReceiver({ store: false })`. */
import type { Store } from './store.js'

/** A store that remembers nothing. */
export const noStore: Store = {
  claim: () => ({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }),
  renew: () => true,
  complete: () => true,
  release: () => true,
}
