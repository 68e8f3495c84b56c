/**
 * The try budget: which try of the sender is its last, and from which on a failing delivery is kept in the quarantine ahead of time.
 * Source of the five tries and their times: govalid docs, webhooks setup.
 */

import { noStore } from '../stores/none.js'
import type { EventWork, WorkMeans } from './handler-run.js'

/** How often GoValid tries. */
export const MAX_ATTEMPTS = 5
/** The fourth try comes after 21 minutes at the latest, the fifth after 60 at the earliest. */
const LAST_ATTEMPT_AGE_MS = 45 * 60 * 1000
/** The fifth try comes after 81 minutes, and each before it may have taken its time. */
const FIFTH_ATTEMPT_AGE_MS = 100 * 60 * 1000
/** The second try comes a minute after the event at the earliest: a failure then is more than a hiccup, and each try may be the last to arrive. */
const KEPT_FROM_ATTEMPT = 2
const KEPT_FROM_AGE_MS = 45 * 1000

/**
 * Whether the sender will not try again. Tries that never reached the store are not counted, so with a sink the event's age counts too.
 * Without one the delivery would be gone, so age counts only for the fifth try of an event from before this receiver's first delivery:
 * the earlier tries went to a process that is gone, and its count with it. `attempt` is 0 where nobody counted.
 */
export function isLastAttempt(means: WorkMeans, work: EventWork, attempt: number): boolean {
  const { origin } = work
  const sinceMs = means.workingSince()
  if (origin.from === 'inbox') return origin.attempt.last
  if (origin.from === 'quarantine' || attempt >= MAX_ATTEMPTS) return true
  const age = ageMs(means, work)
  if (age <= LAST_ATTEMPT_AGE_MS) return false
  if (means.quarantine.sink) return true
  // Without a store nothing is counted, and nothing forgotten by a restart: there is no try budget then.
  if (means.store === noStore) return false
  return attempt > 0 && age <= FIFTH_ATTEMPT_AGE_MS && means.settings.clock.now() - age < sinceMs
}

/**
 * Whether a failing delivery is kept although a try is left: that one may meet a receiver or a store that is down. A success takes the
 * entry back, so only a sink that can do so is given one.
 */
export function isKeptAhead(means: WorkMeans, work: EventWork, attempt: number): boolean {
  if (work.origin.from !== 'sender' || !means.quarantine.sink?.discard) return false
  const age = ageMs(means, work)
  // An event from the future says that this clock is wrong, and so is every age by it.
  return attempt >= KEPT_FROM_ATTEMPT || age >= KEPT_FROM_AGE_MS || age < 0
}

function ageMs({ settings }: WorkMeans, { read }: EventWork): number {
  return read.epochMs === undefined ? 0 : settings.clock.now() - read.epochMs
}
