/**
 * The texts of reports, by code. They are short, because `docs/reference/errors.md` explains each code, and they never hold a secret, a signature or
 * a part of the body.
 */
import type { QuarantinedCode, RefusedCode } from '../errors.js'

/** Why a request was refused. */
export const REFUSED: Readonly<Record<RefusedCode, string>> = {
  method_not_allowed: 'A request was not a POST.',
  body_read_failed: 'A body ended before it was complete.',
  body_timeout: 'A body did not arrive within bodyDeadlineMs.',
  body_too_large: 'A body is larger than maxBodyBytes.',
  body_encoded: 'A body is compressed. GoValid sends plain bytes, so check your proxies.',
  body_already_parsed: 'The body was read before the receiver got it, so the signed bytes are lost.',
  signature_missing: 'A request has no X-GoValid-Signature header.',
  signature_malformed: 'X-GoValid-Signature must be "sha256=" and 64 lowercase hex digits.',
  signature_mismatch: 'The signature doesn’t match the request body with any of your secrets.',
  secret_missing: 'The secret function returned no usable secret.',
}

/** Why a delivery was quarantined. */
export const QUARANTINED: Readonly<Record<QuarantinedCode, string>> = {
  not_utf8: 'A signed body is not valid UTF-8.',
  not_json: 'A signed body is not JSON.',
  not_an_event: 'A signed body has no non-empty string "event".',
  stale: 'A signed event is older than maxAgeMs, so no handler ran. For the dashboard’s Test button, that is fine.',
  from_future: 'A signed event is over 24 hours in the future. Check this server’s clock.',
  schema_refused: 'Your schema refused an event. The reasons are in the outcome and the quarantine.',
  permanent_error: 'A handler threw a PermanentError.',
  job_forged: 'A job in the inbox’s queue has no valid GoValid signature. It was not processed.',
  retry_pending: 'A failed delivery is quarantined early, in case no other attempt arrives.',
  attempts_exhausted: 'The last attempt of a delivery failed.',
  handler_crashed: 'Every earlier attempt ended with its process, so the last one was not run.',
}

/** Appended where the quarantine holds the delivery. */
export const IS_QUARANTINED = 'It is in the quarantine.'
/** Appended where an inbox keeps the delivery. */
export const BACK_TO_INBOX = 'There is no quarantine, so the delivery returns to the inbox as a failed job.'
/** Appended where nothing keeps the delivery. */
export const IS_DROPPED = 'There is no quarantine, so it is lost: pass createReceiver one, or a store that has one.'

/** The store's own warning. */
export const EVICTED_EARLY =
  'The store evicts finished deliveries early, so redelivered events are processed again. memoryStore: raise maxKeys. Redis: set maxmemory-policy noeviction.'

/** What an error says if a call got no result in time. */
export const LATE = {
  claim: 'the store did not respond to the claim in time',
  inbox: 'the inbox did not confirm in time',
  quarantine: 'the quarantine did not confirm in time',
  schema: 'a schema did not respond in time',
} as const

/** Why an attempt is quarantined or kept early, as the entry's error. */
export const REASON = {
  noAttemptEnded: 'no earlier attempt ended',
  lastNeverEnded: 'the last attempt never ended',
  stillBusy: 'the delivery was still being processed',
  stillRunning: 'the handlers were still running at the deadline',
} as const
