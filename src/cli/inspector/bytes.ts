/** Bytes and how they are written: base64, hex, UTF-8 text. */

/** The bytes of base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  // A call takes only so many arguments.
  for (let from = 0; from < bytes.length; from += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x2000))
  }
  return btoa(text)
}

/** Strict UTF-8; `undefined` where the bytes are none. A byte order mark stays. */
export function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Two digits a byte, sixteen bytes a line. */
export function toHex(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  return digits
    .map((pair, index) => `${pair}${(index + 1) % 16 === 0 ? '\n' : ' '}`)
    .join('')
    .trimEnd()
}

/** Reads hex, whatever white space is in it; `undefined` where it is none. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = text.replaceAll(/\s+/g, '')
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return undefined
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** A length for people. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
