/** The texts of reports, by code. They never hold a secret, a signature or a part of the body. */
import type { QuarantinedCode, RefusedCode } from '../errors.js'

/** Why a request was refused. */
export const REFUSED: Readonly<Record<RefusedCode, string>> = {
  method_not_allowed: 'A request was not a POST.',
  body_read_failed: 'A request body ended before it was complete.',
  body_timeout: 'A request body did not arrive within bodyDeadlineMs.',
  body_too_large: 'A request body is larger than maxBodyBytes.',
  body_encoded:
    'A request body is compressed. GoValid signs and sends plain bytes, so check the proxies in front of this server.',
  body_already_parsed: 'Something read the request body before the receiver did, so the signed bytes are lost.',
  signature_missing: 'A request has no X-GoValid-Signature header.',
  signature_malformed:
    'X-GoValid-Signature must be "sha256=" and 64 lowercase hex digits, and a request sent something else.',
  signature_mismatch:
    'A signature doesn’t match the request body with any of your secrets. Check the secret, and that nothing changes the body on its way. See docs/errors.md.',
  secret_missing: 'The secret function returned no usable secret.',
}

/** Why a delivery was quarantined. */
export const QUARANTINED: Readonly<Record<QuarantinedCode, string>> = {
  not_utf8: 'A signed body is not valid UTF-8.',
  not_json: 'A signed body is not JSON.',
  not_an_event: 'A signed body is not an event: it must be an object with a non-empty string "event".',
  stale:
    'A signed event is older than maxAgeMs, so no handler ran. The dashboard’s Test button may send an old timestamp, which is fine.',
  from_future: 'A signed event is more than 24 hours in the future, so no handler ran. Check this server’s clock.',
  schema_refused: 'Your schema refused the data of an event. The outcome and the quarantine entry hold the reasons.',
  permanent_error: 'A handler threw a PermanentError.',
  job_forged: 'A job in the inbox’s queue has no valid GoValid signature. It was not processed.',
  retry_pending: 'A delivery failed and will be retried. It is quarantined early, in case no other attempt arrives.',
  attempts_exhausted: 'The last attempt of a delivery failed.',
  handler_crashed: 'Every earlier attempt of a delivery ended with its process, so the last one was not run.',
}

/** Appended where the quarantine holds the delivery. */
export const IS_QUARANTINED = 'The delivery is in the quarantine.'
/** Appended where an inbox keeps the delivery. */
export const BACK_TO_INBOX = 'There is no quarantine, so the delivery returns to the inbox as a failed job.'
/** Appended where nothing keeps the delivery. */
export const IS_DROPPED =
  'There is no quarantine, so the delivery is lost. Pass createReceiver a `quarantine`, or a store that has one.'

/** The store's own warning. */
export const EVICTED_EARLY =
  'The store evicts finished deliveries early, so a redelivered event would be processed again. ' +
  'memoryStore: raise maxKeys, or use a durable store. Redis: set maxmemory-policy to noeviction.'

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
