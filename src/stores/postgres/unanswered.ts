/**
 * Claims that were sent and never answered. A server that was frozen executes them when it goes on, also those of a connection that was
 * closed by then. Nobody holds such a claim, and the sender's next try would find it busy: so it is released as soon as it is there.
 */
import { type Clock, startDeadline } from '../../clock.js'

/** Claims that may still come alive. */
export interface UnansweredClaims {
  /** Releases the claim of a token as soon as it is there; `release` tells whether it was. Goes on for a minute, and never fails. */
  takeBack(token: string, release: () => Promise<boolean>): void
  /** The token claims again: what comes of it is wanted after all. */
  keep(token: string): void
}

const LOOK_EVERY_MS = 2_000
/** GoValid's second try comes a minute after the first; by then the token is nobody's. */
const LOOK_FOR_MS = 60_000

/** Makes the claims of one store; `isOver` tells when nothing can be released any more. */
export function createUnansweredClaims(clock: Clock, isOver: () => boolean): UnansweredClaims {
  const tokens = new Set<string>()
  const releaseSoon = async (token: string, release: () => Promise<boolean>): Promise<void> => {
    const deadline = startDeadline(clock, LOOK_FOR_MS)
    while (deadline.left() > 0) {
      await new Promise<void>((resolve) => void clock.setTimer(LOOK_EVERY_MS, resolve))
      if (isOver() || !tokens.has(token) || (await release().catch(() => false))) break
    }
    tokens.delete(token)
  }
  return {
    takeBack(token, release) {
      tokens.add(token)
      void releaseSoon(token, release)
    },
    keep: (token) => void tokens.delete(token),
  }
}
