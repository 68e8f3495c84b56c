// Every answer of the SDK, spelled out byte for byte: status, body, and the headers it sets. What a target sends is compared with this.
import type { ResponseName } from './case.js'

export interface SpelledResponse {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const json = (body: string, headers: Readonly<Record<string, string>> = {}) => ({
  body,
  headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
})

export const RESPONSES: Readonly<Record<ResponseName, SpelledResponse>> = {
  processed: { status: 200, ...json('{"status":"processed"}') },
  duplicate: { status: 200, ...json('{"status":"duplicate"}') },
  ignored: { status: 200, ...json('{"status":"ignored"}') },
  quarantined: { status: 200, ...json('{"status":"quarantined"}') },
  busy: { status: 503, ...json('{"status":"busy"}', { 'retry-after': '60' }) },
  unfinished: { status: 503, ...json('{"status":"unfinished"}', { 'retry-after': '60' }) },
  unavailable: { status: 503, ...json('{"status":"unavailable"}', { 'retry-after': '60' }) },
  failed: { status: 500, ...json('{"status":"failed"}') },
  not_authentic: { status: 401, ...json('{"status":"refused"}') },
  method_not_allowed: { status: 405, ...json('{"status":"refused"}', { allow: 'POST' }) },
  body_read_failed: { status: 400, ...json('{"status":"refused"}') },
  body_timeout: { status: 408, ...json('{"status":"refused"}') },
  body_too_large: { status: 413, ...json('{"status":"refused"}') },
  body_encoded: { status: 415, ...json('{"status":"refused"}') },
  body_already_parsed: { status: 500, ...json('{"status":"refused","code":"body_already_parsed"}') },
}

/** Headers that only the SDK would set: none may be there that its answer does not name. */
export const OWN_HEADERS = ['content-type', 'content-length', 'retry-after', 'allow']

/** The outcome behind each answer. */
export const OUTCOME_OF: Readonly<Record<ResponseName, string>> = {
  processed: 'processed',
  duplicate: 'duplicate',
  ignored: 'ignored',
  quarantined: 'quarantined',
  busy: 'busy',
  unfinished: 'unfinished',
  unavailable: 'unavailable',
  failed: 'failed',
  not_authentic: 'refused',
  method_not_allowed: 'refused',
  body_read_failed: 'refused',
  body_timeout: 'refused',
  body_too_large: 'refused',
  body_encoded: 'refused',
  body_already_parsed: 'refused',
}
