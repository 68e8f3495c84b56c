/**
 * The one coded error of the project, the error users throw to say "never again", and the list of every code.
 * Codes do not know status codes: stage 8 (`delivery/response.ts`) does. Every code has one section in `docs/errors.md`.
 */

/** Why a delivery was refused: it did not come from GoValid, or the developer's own set-up stands in the way. */
export type RefusedCode =
  | 'method_not_allowed'
  | 'body_read_failed'
  | 'body_timeout'
  | 'body_too_large'
  | 'body_encoded'
  | 'body_already_parsed'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_mismatch'
  | 'secret_missing'

/** Why an authentic delivery cannot be worked. */
export type QuarantinedCode =
  | 'not_utf8'
  | 'not_json'
  | 'not_an_event'
  | 'stale'
  | 'from_future'
  | 'schema_refused'
  | 'drift_refused'
  | 'permanent_error'
  | 'job_forged'
  | 'retry_pending'
  | 'attempts_exhausted'
  | 'handler_crashed'

/** What did not answer in time. */
export type UnavailableCode =
  | 'store_unavailable'
  | 'store_corrupt'
  | 'inbox_unavailable'
  | 'quarantine_unavailable'
  | 'secret_unavailable'
  | 'receiver_closing'

/** A mistake in the developer's own code or configuration, thrown when it is made. */
export type ConfigErrorCode =
  | 'secret_missing'
  | 'secret_blank'
  | 'option_unknown'
  | 'option_invalid'
  | 'store_unsuitable'
  | 'event_type_unknown'
  | 'handler_invalid'
  | 'handler_name_duplicate'
  | 'transaction_needs_name'
  | 'transaction_repeated'
  | 'transaction_async'
  | 'transaction_ended'

/** Something that went otherwise than planned while the receiver went on; given to `onError`. */
export type ReportCode =
  | 'handler_failed'
  | 'event_dropped'
  | 'lease_lost'
  | 'handler_timeout'
  | 'completion_delayed'
  | 'completion_abandoned'
  | 'idempotency_key_failed'
  | 'store_evicting'
  | 'hook_failed'

/** Why a call of GoValid's management API failed. */
export type ApiCode =
  | 'api_key_invalid'
  | 'api_unreachable'
  | 'api_timeout'
  | 'api_response_unreadable'
  | 'api_unauthorized'
  | 'api_forbidden'
  | 'api_not_found'
  | 'api_rejected'
  | 'api_rate_limited'
  | 'api_unavailable'

/** Every code of the project. */
export type ErrorCode = RefusedCode | QuarantinedCode | UnavailableCode | ConfigErrorCode | ReportCode | ApiCode

const BRAND = 'govalid-webhooks.WebhookError'

/**
 * The one error class of this package. Its `code` is a literal, so a `switch` narrows it.
 *
 * A message never holds a secret, a signature or a part of the body.
 *
 * @example
 * ```ts
 * import { isWebhookError, verifyAndParse } from 'govalid-webhooks'
 *
 * try {
 *   await verifyAndParse('{}', 'sha256=…', 'a secret')
 * } catch (error) {
 *   if (isWebhookError(error) && error.code === 'signature_mismatch') console.log('not from GoValid')
 * }
 * ```
 */
export class WebhookError<Code extends ErrorCode = ErrorCode> extends Error {
  /** What went wrong, stable over releases; each has a section in `docs/errors.md`. */
  readonly code: Code

  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(`${message} [${code}]`, options)
    this.name = 'WebhookError'
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * Thrown by a handler to say that no other try can help. The delivery is quarantined and answered 200.
 *
 * @example
 * ```ts
 * import { createReceiver, PermanentError } from 'govalid-webhooks'
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET }).on('payment.failed', (event) => {
 *   if (event.data.amount === undefined) throw new PermanentError('a payment without an amount')
 * })
 * ```
 */
export class PermanentError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'PermanentError'
    Object.defineProperty(this, `${BRAND}.permanent`, { value: true })
  }
}

/**
 * Whether a value is a {@link WebhookError}, also when it comes from another copy of this package (ESM beside CommonJS).
 *
 * @example
 * ```ts
 * import { isWebhookError } from 'govalid-webhooks'
 *
 * const code = (error: unknown) => (isWebhookError(error) ? error.code : undefined)
 * ```
 */
export function isWebhookError(value: unknown): value is WebhookError {
  return value instanceof Error && (value as unknown as Record<string, unknown>)[BRAND] === true
}

/** Whether a handler's error says that no other try can help; works across copies of this package. */
export function isPermanentError(value: unknown): value is PermanentError {
  return value instanceof Error && (value as unknown as Record<string, unknown>)[`${BRAND}.permanent`] === true
}
