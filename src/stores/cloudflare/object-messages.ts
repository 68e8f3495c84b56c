/**
 * The messages between `durableObjectStore` and its objects: one line of JSON, then the bytes of quarantined bodies. Requests need no RPC,
 * so the store loads outside of workerd and works with every compatibility date.
 */
import type { QuarantineEntry } from '../store.js'

/** The header that proves that a response comes from an `IdempotencyObject`. */
export const OBJECT_HEADER = 'x-govalid-idempotency-object'

const LINE_FEED = 0x0a

/** A value, and the bodies of the entries that it contains. */
interface Line {
  readonly value: unknown
  readonly sizes: readonly number[]
}

/** Encodes a value and the entries that belong to it. */
export function encodeMessage(value: unknown, entries: readonly QuarantineEntry[] = []): Uint8Array<ArrayBuffer> {
  const about = entries.map((entry) => ({ ...entry, rawBody: undefined }))
  const sizes = entries.map(({ rawBody }) => rawBody.byteLength)
  const line: Line = { value: entries.length > 0 ? about : value, sizes }
  const text = new TextEncoder().encode(`${JSON.stringify(line)}\n`)
  const message = new Uint8Array(text.length + sizes.reduce((sum, size) => sum + size, 0))
  message.set(text)
  let offset = text.length
  for (const { rawBody } of entries) {
    message.set(rawBody, offset)
    offset += rawBody.byteLength
  }
  return message
}

/** Decodes a message: the value, or the entries. */
export function decodeMessage(message: ArrayBuffer): unknown {
  const bytes = new Uint8Array(message)
  const end = bytes.indexOf(LINE_FEED)
  const { value, sizes } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Line
  if (sizes.length === 0) return value
  let offset = end + 1
  return (value as readonly object[]).map((about, index) => {
    const rawBody = bytes.slice(offset, offset + (sizes[index] ?? 0))
    offset += rawBody.byteLength
    // JSON has no undefined, and an entry has every field.
    return { eventType: undefined, error: undefined, attempt: undefined, ...about, rawBody }
  })
}
