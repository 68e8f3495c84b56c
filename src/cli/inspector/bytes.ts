/** Conversions between bytes and base64, hex or UTF-8 text. */

/** Decodes base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  // Convert in chunks, because the number of arguments of a call is limited.
  for (let from = 0; from < bytes.length; from += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x2000))
  }
  return btoa(text)
}

/** Decodes strict UTF-8 and keeps a byte order mark. Returns `undefined` if the bytes aren't UTF-8. */
export function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Encodes bytes as hex, with sixteen bytes per line. */
export function toHex(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  return digits
    .map((pair, index) => `${pair}${(index + 1) % 16 === 0 ? '\n' : ' '}`)
    .join('')
    .trimEnd()
}

/** Decodes hex and ignores white space. Returns `undefined` if the text isn't hex. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = text.replaceAll(/\s+/g, '')
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return undefined
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Formats a length, such as `1.5 KiB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
