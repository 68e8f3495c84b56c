/**
 * Part of stage 2: cuts the `signature` field out of a raw JSON text, in case GoValid signs the body before it adds that field. The bytes
 * are cut, never serialized again. A text without exactly one such field at its top level stays whole.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = [0x7b, 0x5b]
const CLOSE = [0x7d, 0x5d]
const SPACES = [0x20, 0x09, 0x0a, 0x0d]
const FIELD = /^"signature"[ \t\n\r]*:[ \t\n\r]*(?:"(?:[^"\\]|\\.)*"|null)$/s

interface Span {
  readonly start: number
  readonly end: number
}

/** Returns the body without its one top-level `signature` field (a string or null) and the comma that belongs to it. */
export function cutSignatureField(body: Uint8Array): Uint8Array {
  const fields = topLevelFields(body)
  const [span, second] = fields.filter((field) => isSignature(body, field))
  if (span === undefined || second !== undefined) return body
  const index = fields.indexOf(span)
  const previous = fields[index - 1]
  const next = fields[index + 1]
  // A field that was added last came with the comma and the blanks before it; any other field with those after it.
  if (previous) return without(body, previous.end, span.end)
  return next ? without(body, span.start, next.start) : without(body, span.start, span.end)
}

function isSignature(body: Uint8Array, { start, end }: Span): boolean {
  return FIELD.test(String.fromCharCode(...body.subarray(start, Math.min(end, start + 4096))))
}

/** Finds each `"name": value` of the outermost object, without the blanks around it. */
function topLevelFields(body: Uint8Array): readonly Span[] {
  const fields: Span[] = []
  let depth = 0
  let start: number | undefined
  let end = 0
  for (let index = 0; index < body.length; index++) {
    const byte = body[index] as number
    if (SPACES.includes(byte)) continue
    const closes = CLOSE.includes(byte)
    if (depth === 1 && (byte === COMMA || closes)) {
      if (start !== undefined) fields.push({ start, end })
      start = undefined
    } else if (depth >= 1) {
      start ??= index
    }
    if (OPEN.includes(byte)) depth++
    if (closes) depth--
    if (byte === QUOTE) index = endOfString(body, index)
    end = index + 1
  }
  return fields
}

function endOfString(body: Uint8Array, opening: number): number {
  for (let index = opening + 1; index < body.length; index++) {
    if (body[index] === BACKSLASH) index++
    else if (body[index] === QUOTE) return index
  }
  return body.length
}

function without(body: Uint8Array, from: number, to: number): Uint8Array {
  const rest = new Uint8Array(body.length - (to - from))
  rest.set(body.subarray(0, from))
  rest.set(body.subarray(to), from)
  return rest
}
