/** Undoes what a wrong character set does to bytes: text decoded as one and encoded as another. */
import { encodeUtf8 } from '../../crypto/encoding.js'

/** Bytes before a wrong character set changed them. */
export interface Recoded {
  readonly bytes: Uint8Array
  /** What happened to them, in a sentence. */
  readonly detail: string
}

/** The text of bytes that are strict UTF-8; a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return decode('utf-8', bytes)
}

/** Every way in which a wrong character set can have made these bytes. */
export function undoCharsets(bytes: Uint8Array): readonly Recoded[] {
  const text = decodeUtf8(bytes)
  const isAscii = bytes.every((byte) => byte < 0x80)
  return [
    ...recoded(
      isAscii || text === undefined ? undefined : encodeSingle(text, LATIN_1),
      'they were decoded as Latin-1 and encoded as UTF-8',
    ),
    ...recoded(
      isAscii || text === undefined ? undefined : encodeSingle(text, windows1252()),
      'they were decoded as Windows-1252 and encoded as UTF-8',
    ),
    ...recoded(
      text === undefined ? toUtf8('windows-1252', bytes) : undefined,
      'they were encoded as Latin-1 or Windows-1252',
    ),
    ...recoded(looksLikeUtf16(bytes, 1) ? toUtf8('utf-16le', bytes) : undefined, 'they were encoded as UTF-16'),
    ...recoded(looksLikeUtf16(bytes, 0) ? toUtf8('utf-16be', bytes) : undefined, 'they were encoded as UTF-16'),
  ]
}

/** Whether characters were lost: what could not be decoded was replaced by U+FFFD, or is no UTF-8 now. */
export function hasLostCharacters(bytes: Uint8Array): boolean {
  return decodeUtf8(bytes)?.includes('\uFFFD') ?? true
}

function recoded(bytes: Uint8Array | undefined, detail: string): readonly Recoded[] {
  return bytes ? [{ bytes, detail }] : []
}

const LATIN_1: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte]),
)

let windows1252Bytes: ReadonlyMap<string, number> | undefined

function windows1252(): ReadonlyMap<string, number> {
  windows1252Bytes ??= new Map(
    Array.from({ length: 256 }, (_, byte) => [decode('windows-1252', Uint8Array.of(byte)) ?? '', byte]),
  )
  return windows1252Bytes
}

/** Encodes with a character set of one byte a character; `undefined` where a character is not in it. */
function encodeSingle(text: string, set: ReadonlyMap<string, number>): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) {
    const byte = set.get(text.charAt(index))
    if (byte === undefined) return undefined
    bytes[index] = byte
  }
  return bytes
}

function toUtf8(label: string, bytes: Uint8Array): Uint8Array | undefined {
  const text = decode(label, bytes)
  return text === undefined ? undefined : encodeUtf8(text.replace(/^\uFEFF/, ''))
}

function decode(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Not in this character set, or a runtime that knows UTF-8 alone.
    return undefined
  }
}

/** JSON in UTF-16 begins with an ASCII character: every other byte is zero. */
function looksLikeUtf16(bytes: Uint8Array, zeroAt: 0 | 1): boolean {
  const start = bytes[0] === 0xff || bytes[0] === 0xfe ? 2 : 0
  return (
    bytes.length % 2 === 0 && bytes.length > start + 1 && bytes[start + zeroAt] === 0 && bytes[start + 1 - zeroAt] !== 0
  )
}
