// Every response of the SDK, byte for byte: status, body, and the headers that it sets. The tests compare a target's responses with these.
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

/** The headers that only the SDK sets. A response may have none of them beyond its own. */
export const OWN_HEADERS = ['content-type', 'content-length', 'retry-after', 'allow']

/** The outcome status of each response. */
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
