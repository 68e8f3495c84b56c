/**
 * Releases orphaned claims: claims that were sent but got no response. A frozen server executes such a claim when it
 * continues, even if the connection is closed. No process holds the claim, and GoValid's next attempt would find it busy.
 */
import { type Clock, startDeadline } from '../../clock.js'

/** Claims that the server may still execute. */
export interface OrphanedClaims {
  /**
   * Releases the claim of a token in the background as soon as it appears. `release` returns whether it did. Retries for a
   * minute and never throws.
   */
  releaseLater(token: string, release: () => Promise<boolean>): void
  /** Cancels the release, because the token claims again and its claim is wanted. */
  keep(token: string): void
}

const RETRY_EVERY_MS = 2_000
/** GoValid's second attempt comes a minute after the first, and uses a new token. */
const RETRY_FOR_MS = 60_000

/** Creates the orphaned claims of one store. `isClosed` returns whether the pool can no longer be used. */
export function createOrphanedClaims(clock: Clock, isClosed: () => boolean): OrphanedClaims {
  const tokens = new Set<string>()
  const retryRelease = async (token: string, release: () => Promise<boolean>): Promise<void> => {
    const deadline = startDeadline(clock, RETRY_FOR_MS)
    while (deadline.left() > 0) {
      await new Promise<void>((resolve) => void clock.setTimer(RETRY_EVERY_MS, resolve))
      if (isClosed() || !tokens.has(token) || (await release().catch(() => false))) break
    }
    tokens.delete(token)
  }
  return {
    releaseLater(token, release) {
      tokens.add(token)
      void retryRelease(token, release)
    },
    keep: (token) => void tokens.delete(token),
  }
}
