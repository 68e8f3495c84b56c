/** Undoes character set mistakes: text that was decoded with one character set and encoded with another. */
import { encodeUtf8 } from '../../crypto/encoding.js'

/** The bytes before a wrong character set changed them. */
export interface Recoded {
  readonly bytes: Uint8Array
  /** The mistake, as the end of a sentence. */
  readonly detail: string
}

/** Decodes strict UTF-8 and keeps a byte order mark; returns `undefined` if the bytes aren't UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return decode('utf-8', bytes)
}

/** Returns the bytes before each character set mistake that can have produced `bytes`. */
export function undoCharsets(bytes: Uint8Array): readonly Recoded[] {
  const text = decodeUtf8(bytes)
  const isAscii = bytes.every((byte) => byte < 0x80)
  return [
    ...recoded(
      isAscii || text === undefined ? undefined : encodeSingle(text, LATIN_1),
      'it was decoded as Latin-1 and encoded as UTF-8',
    ),
    ...recoded(
      isAscii || text === undefined ? undefined : encodeSingle(text, windows1252()),
      'it was decoded as Windows-1252 and encoded as UTF-8',
    ),
    ...recoded(
      text === undefined ? toUtf8('windows-1252', bytes) : undefined,
      'it was encoded as Latin-1 or Windows-1252',
    ),
    ...recoded(looksLikeUtf16(bytes, 1) ? toUtf8('utf-16le', bytes) : undefined, 'it was encoded as UTF-16'),
    ...recoded(looksLikeUtf16(bytes, 0) ? toUtf8('utf-16be', bytes) : undefined, 'it was encoded as UTF-16'),
  ]
}

/** Whether the bytes contain the replacement character U+FFFD or aren't UTF-8. */
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

/** Encodes text with a single-byte character set; returns `undefined` if the set lacks a character. */
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
    // The bytes don't fit the character set, or the runtime supports only UTF-8.
    return undefined
  }
}

/** JSON starts with an ASCII character, so in UTF-16 one byte of its first pair is zero. */
function looksLikeUtf16(bytes: Uint8Array, zeroAt: 0 | 1): boolean {
  const start = bytes[0] === 0xff || bytes[0] === 0xfe ? 2 : 0
  return (
    bytes.length % 2 === 0 && bytes.length > start + 1 && bytes[start + zeroAt] === 0 && bytes[start + 1 - zeroAt] !== 0
  )
}
