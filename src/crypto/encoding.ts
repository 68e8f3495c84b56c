/**
 * Text and bytes: strict hex, and UTF-8. Strict because `Buffer.from(x, 'hex')` stops silently at the first bad digit.
 */

const PAIRS = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Whether a value is a `Uint8Array` (or a `Buffer`) of any realm: jsdom and vm contexts have their own classes. */
export function isBytes(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value)) return false
  // `instanceof` is fast, but is false for bytes of another realm, such as jsdom's.
  return value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]'
}

/** Decodes 2n lowercase hex digits. The caller has checked the digits. */
export function decodeHex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = (digitValue(digits.charCodeAt(2 * index)) << 4) | digitValue(digits.charCodeAt(2 * index + 1))
  }
  return bytes
}

/** Encodes bytes as lowercase hex digits. */
export function encodeHex(bytes: Uint8Array): string {
  let digits = ''
  for (const byte of bytes) digits += PAIRS[byte]
  return digits
}

/** Encodes a text as UTF-8. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  // The types of Workers don't say which kind of buffer this is. It is never a shared one.
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
}

/** Returns the value of `0` to `9` and `a` to `f`, without a branch that depends on the digit. */
function digitValue(code: number): number {
  return (code & 15) + (code >> 6) * 9
}
