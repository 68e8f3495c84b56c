/**
 * The error classes of this package and the list of every error code. Each code has one section in `docs/reference/errors.md`.
 * Stage 8 (`delivery/response.ts`) maps outcomes to HTTP status codes, so nothing in this file knows them.
 */

/** Why a delivery was refused: it didn't come from GoValid, or the application's own setup is wrong. */
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

/** Why an authentic delivery was quarantined instead of processed. */
export type QuarantinedCode =
  | 'not_utf8'
  | 'not_json'
  | 'not_an_event'
  | 'stale'
  | 'from_future'
  | 'schema_refused'
  | 'permanent_error'
  | 'job_forged'
  | 'retry_pending'
  | 'attempts_exhausted'
  | 'handler_crashed'

/** Which service didn't respond in time, or why the receiver can't process a delivery now. */
export type UnavailableCode =
  | 'store_unavailable'
  | 'store_corrupt'
  | 'overloaded'
  | 'inbox_unavailable'
  | 'quarantine_unavailable'
  | 'secret_unavailable'
  | 'receiver_closing'

/** A mistake in the application's code or configuration. It is thrown as early as possible, usually at creation. */
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

/** A problem that `onError` receives while the receiver keeps running. */
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
  | 'receiver_failed'

/** Why a call to GoValid's management API failed. */
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

/** Every error code of this package. */
export type ErrorCode = RefusedCode | QuarantinedCode | UnavailableCode | ConfigErrorCode | ReportCode | ApiCode

const BRAND = 'govalid-webhooks.WebhookError'

/**
 * An error with a stable `code`. The code is a literal type, so a `switch` narrows it.
 *
 * The message never contains a secret, a signature or a part of the body.
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
  /** The kind of error. Codes are stable across releases, and each has a section in `docs/reference/errors.md`. */
  readonly code: Code

  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(withExplanation(message, code), options)
    this.name = 'WebhookError'
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** The address of `docs/reference/errors.md`. The build defines it once the project has a public address (`config/address.json`). */
declare const ERRORS_PAGE: string | undefined

/** Appends the address of the code's section, or the command that prints the section while the project has no public address. */
export function withExplanation(message: string, code: ErrorCode): string {
  return `${message} ${typeof ERRORS_PAGE === 'string' ? `See ${ERRORS_PAGE}#` : 'Run: npx govalid-webhooks explain '}${code}`
}

/**
 * An error for your handlers to throw if a retry can't help. The delivery is quarantined, and GoValid gets a 200.
 *
 * @example
 * ```ts
 * import { createReceiver, PermanentError } from 'govalid-webhooks'
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET }).on('payment.failed', (event) => {
 *   if (event.data.amount === undefined) throw new PermanentError('The payment has no amount')
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
 * Returns whether a value is a {@link WebhookError}, even if another copy of this package created it (ESM next to CommonJS).
 *
 * @example
 * ```ts
 * import { isWebhookError } from 'govalid-webhooks'
 *
 * const code = (error: unknown) => (isWebhookError(error) ? error.code : undefined)
 * ```
 */
export function isWebhookError(value: unknown): value is WebhookError {
  return hasBrand(value, BRAND)
}

/** Returns whether a value is a {@link PermanentError}, even if another copy of this package created it. */
export function isPermanentError(value: unknown): value is PermanentError {
  return hasBrand(value, `${BRAND}.permanent`)
}

/** Whether a value is an error of any realm: test environments and vm contexts have their own `Error`. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

/** Never throws: a handler may throw a revoked Proxy, or an object with throwing getters. */
function hasBrand(value: unknown, brand: string): boolean {
  try {
    return isError(value) && (value as unknown as Record<string, unknown>)[brand] === true
  } catch {
    return false
  }
}
