/**
 * Stage 3 of 8, envelope: reads the verified bytes as an event's envelope. In: the bytes that the signature covers. Out: the payload and
 * its event type. Quarantines bodies that aren't strict UTF-8 (a BOM is skipped), JSON, or an object with a non-empty string `event`.
 */
import type { QuarantinedCode } from '../errors.js'
import { isObject } from '../events/shapes.js'

/** A payload with the name of its event. */
export interface PayloadEnvelope {
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** Why an authentic delivery can't be processed, now or later. */
export interface Unprocessable {
  readonly unprocessable: QuarantinedCode
}

// `fatal` refuses invalid bytes, because replacing them would change the event. `ignoreBOM: false` skips the byte order mark.
const utf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Reads the envelope of a verified body. */
export function readEnvelope(content: Uint8Array): PayloadEnvelope | Unprocessable {
  let text: string
  try {
    text = utf8.decode(content)
  } catch {
    return { unprocessable: 'not_utf8' }
  }
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch {
    return { unprocessable: 'not_json' }
  }
  if (!isObject(payload)) return { unprocessable: 'not_an_event' }
  const type = Object.hasOwn(payload, 'event') ? payload['event'] : undefined
  return typeof type === 'string' && type !== '' ? { type, payload } : { unprocessable: 'not_an_event' }
}
