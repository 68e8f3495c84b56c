/**
 * Part of stage 7: the table of endings. In: how an attempt ended and its standing. Out: the outcome, what the store records and what the
 * quarantine gets. A pure function; `finish.ts` carries a decision out.
 */
import type { QuarantinedCode } from '../errors.js'
import type { Outcome } from '../types.js'

/** How an attempt ended. `crashed`: every earlier attempt ended with its process, so the last one isn't run. */
export type HowEnded = 'processed' | 'permanent_error' | 'crashed' | 'failed' | 'busy' | 'unavailable' | 'unfinished'

/** What else decides. */
export interface Standing {
  /** Neither GoValid nor the inbox will make another attempt. */
  readonly isLast: boolean
  readonly isFromSender: boolean
  /** Quarantined early, in case the attempt fails and no other attempt arrives. */
  readonly isKeptEarly: boolean
  /** The response has left. */
  readonly isLate: boolean
}

/** What happens to the delivery. */
export interface Decision {
  /** The outcome, provided that the quarantine confirms a `quarantined`. */
  readonly status: Exclude<Outcome['status'], 'accepted' | 'duplicate' | 'ignored' | 'refused'>
  /** What the store records; `undefined`: nothing. */
  readonly store: 'complete' | 'release' | undefined
  /** The code of the entry, `discard` to take an entry back, or `undefined` for neither. */
  readonly quarantine: QuarantinedCode | 'discard' | undefined
}

/** Decides how an attempt ends. */
export function decide(how: HowEnded, { isLast, isFromSender, isKeptEarly, isLate }: Standing): Decision {
  switch (how) {
    case 'processed':
      return isLate || isKeptEarly || !isFromSender ? PROCESSED_WITH_ENTRY : PROCESSED
    case 'permanent_error':
      return { status: 'quarantined', store: 'complete', quarantine: 'permanent_error' }
    case 'crashed':
      return { status: 'quarantined', store: 'complete', quarantine: 'handler_crashed' }
    case 'failed':
      if (isLast) return { status: 'quarantined', store: 'complete', quarantine: 'attempts_exhausted' }
      return { status: 'failed', store: 'release', quarantine: isKeptEarly ? 'retry_pending' : undefined }
    case 'busy':
    case 'unavailable':
    case 'unfinished':
      if (isLast && isFromSender) return { status: 'quarantined', store: undefined, quarantine: 'attempts_exhausted' }
      return { status: how, store: undefined, quarantine: isKeptEarly ? 'retry_pending' : undefined }
  }
}

const PROCESSED: Decision = { status: 'processed', store: 'complete', quarantine: undefined }
const PROCESSED_WITH_ENTRY: Decision = { status: 'processed', store: 'complete', quarantine: 'discard' }
