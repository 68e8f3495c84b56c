/**
 * Stage 3 of 8, envelope: reads the verified bytes as an event's envelope. In: the bytes the signature covers. Out: the payload and its event type.
 * Quarantines what is not strict UTF-8 (a BOM is skipped), not JSON, or not an object with a non-empty `event`.
 */
import type { QuarantinedCode } from '../errors.js'
import { isObject } from '../events/shapes.js'

/** A payload with the name of its event. */
export interface PayloadEnvelope {
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** What stops an authentic delivery: it cannot be worked, now or later. */
export interface Unworkable {
  readonly unworkable: QuarantinedCode
  readonly error?: unknown
}

// `fatal`: a replaced byte would be a changed event. `ignoreBOM: false` skips the mark.
const utf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Reads the envelope of a verified body. */
export function readEnvelope(content: Uint8Array): PayloadEnvelope | Unworkable {
  let text: string
  try {
    text = utf8.decode(content)
  } catch {
    return { unworkable: 'not_utf8' }
  }
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch {
    return { unworkable: 'not_json' }
  }
  if (!isObject(payload)) return { unworkable: 'not_an_event' }
  const type = Object.hasOwn(payload, 'event') ? payload['event'] : undefined
  return typeof type === 'string' && type !== '' ? { type, payload } : { unworkable: 'not_an_event' }
}
