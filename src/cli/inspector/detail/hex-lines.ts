/** Bytes as hex: where they are, what they are, and the ASCII among them. */

/** Lines of a part of the bytes, each ending with a line break; eight bytes a line where there is little room. */
export function hexLines(bytes: Uint8Array, from: number, to: number): string {
  const width = matchMedia('(max-width: 40rem)').matches ? 8 : 16
  let text = ''
  for (let at = from; at < to; at += width) text += line(bytes.subarray(at, Math.min(to, at + width)), at, width)
  return text
}

function line(bytes: Uint8Array, offset: number, width: number): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  const left = digits.slice(0, 8).join(' ')
  const right = width > 8 ? `  ${digits.slice(8).join(' ')}` : ''
  const room = width > 8 ? 49 : 23
  const ascii = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
  return `${offset.toString(16).padStart(8, '0')}  ${(left + right).padEnd(room)}  ${ascii}\n`
}
