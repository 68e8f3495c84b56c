/** Makes small, cheap changes to bytes and headers. Most inputs of the proof are made here. */
import type { Random } from '../random.js'

/** Bytes with a meaning for a parser of JSON or UTF-8. */
const TELLING = [...Buffer.from('{}[]",:\\/ \t\r\n0-+.eEtfnu'), 0, 0x1f, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xef, 0xf4, 0xff]

/** Returns a copy with one to four changes: a byte replaced, flipped, inserted or removed, or a part repeated or cut off. */
export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  let made: Buffer = Buffer.from(bytes)
  for (let changes = 1 + random.below(4); changes > 0; changes--) made = mutateOnce(random, made)
  return made
}

function mutateOnce(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.byteLength + 1)
  const byte = random.chance(0.6) ? random.pick(TELLING) : random.below(256)
  switch (random.below(6)) {
    case 0:
      if (at < bytes.byteLength) bytes[at] = byte
      return bytes
    case 1:
      if (at < bytes.byteLength) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      return bytes
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.below(20)))])
    default:
      return random.chance(0.2) ? bytes.subarray(0, at) : bytes
  }
}

const HEX = [...'0123456789abcdef']
const ODD = ['g', 'A', 'F', '=', ' ', '\t', ',', ';', '"', '\0', '\n', '\r', '\u00a0', '\u00e9', '\u0161', '\uff10']

/** Returns a copy of a signature header with a change. Some changes leave it valid. */
export function mutateHeader(random: Random, header: string): string {
  const at = random.below(header.length)
  const character = random.chance(0.5) ? random.pick(HEX) : random.pick(ODD)
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      return header.slice(0, at) + character + header.slice(at + 1)
    case 3:
      return header.slice(0, at) + character + header.slice(at)
    case 4:
      return header.slice(0, at) + header.slice(at + 1)
    case 5:
      return header.slice(0, at)
    case 6:
      return random.chance(0.5) ? header.toUpperCase() : header.slice(7)
    case 7:
      return random.pick([' ', '\t', '']) + header + random.pick([' ', '\t', '\n', ''])
    case 8:
      return [header, random.chance(0.5) ? header : 'sha256='].join(random.pick([',', ', ', ' ']))
    default:
      return `sha256=${Array.from({ length: 62 + random.below(5) }, () => random.pick(HEX)).join('')}`
  }
}

/** Header values that aren't strings, some of which look like one. */
export function oddHeader(random: Random, right: string): unknown {
  return random.pick<unknown>([
    undefined,
    null,
    [right],
    [right, right],
    [],
    71,
    true,
    Symbol(right),
    Buffer.from(right),
    { toString: () => right },
    new Object(right),
    () => right,
  ])
}
