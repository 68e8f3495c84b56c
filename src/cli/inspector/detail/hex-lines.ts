/** A hex dump: the offset, the bytes and their ASCII characters. */

/** Returns the dump of a part of the bytes. Narrow screens get eight bytes per line instead of sixteen. */
export function hexLines(bytes: Uint8Array, from: number, to: number): string {
  const width = matchMedia('(max-width: 40rem)').matches ? 8 : 16
  let text = ''
  for (let offset = from; offset < to; offset += width) {
    text += line(bytes.subarray(offset, Math.min(to, offset + width)), offset, width)
  }
  return text
}

function line(bytes: Uint8Array, offset: number, width: number): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  const left = digits.slice(0, 8).join(' ')
  const right = width > 8 ? `  ${digits.slice(8).join(' ')}` : ''
  const columns = width > 8 ? 49 : 23
  const ascii = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
  return `${offset.toString(16).padStart(8, '0')}  ${(left + right).padEnd(columns)}  ${ascii}\n`
}
