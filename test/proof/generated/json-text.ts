/** Generates difficult JSON: odd numbers, escapes, depth, keys with a meaning in JavaScript, and repeated keys. */
import type { Random } from '../random.js'

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'signature',
  'event',
  'data',
  '0',
  '',
]
const NUMBERS = [
  '0',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '1.0',
  '10.00',
  '1E+2',
  '0.1',
  '-1',
  '2147483648',
]
const STRINGS = [
  '',
  '\\u0000',
  '\\ud800',
  '\\udfff\\ud800',
  '\\u00e9',
  'é',
  '\\n',
  '\\/',
  '\u2028',
  '😀',
  '<script>',
  "' OR 1=1",
  'true',
  '15',
]
/** Texts that aren't JSON, although many parsers accept them. */
const WRONG = [
  'NaN',
  'Infinity',
  '01',
  '.5',
  '1.',
  "'x'",
  'undefined',
  '/* */1',
  '[1,]',
  '{"a":1,}',
  '"\t"',
  'True',
  '0x1F',
  '"\\x41"',
]
const BLANKS = ['', '', '', ' ', '\n', '\t', '\r\n ']

/** The text of one value. With the probability `wrong`, a part of it isn't JSON. */
function jsonText(random: Random, depth = 4, wrong = 0.01): string {
  if (random.chance(wrong)) return random.pick(WRONG)
  const kind = random.below(depth > 0 ? 7 : 5)
  if (kind === 0) return random.pick(['true', 'false', 'null'])
  if (kind <= 2) return random.pick(NUMBERS)
  if (kind <= 4) return `"${random.pick(STRINGS)}"`
  const fields = Array.from({ length: random.below(5) }, () => {
    const value = random.pick(BLANKS) + jsonText(random, depth - 1, wrong)
    return kind === 5 ? value : `"${random.pick(KEYS)}"${random.pick(BLANKS)}:${value}`
  })
  const inside = fields.join(`${random.pick(BLANKS)},`)
  return kind === 5 ? `[${inside}]` : `{${inside}${random.pick(BLANKS)}}`
}

/** The text of an event whose envelope may have missing, repeated or wrong fields. */
export function eventText(random: Random, types: readonly string[], now: number): string {
  const fields = [
    `"event":${random.chance(0.9) ? JSON.stringify(random.pick(types)) : jsonText(random, 1)}`,
    `"timestamp":${random.chance(0.8) ? JSON.stringify(new Date(now - random.below(1e6)).toISOString()) : jsonText(random, 0)}`,
    `"webhook_id":${random.chance(0.9) ? '"wh-001"' : jsonText(random, 1)}`,
    `"data":${jsonText(random, 5)}`,
  ]
  if (random.chance(0.2)) fields.splice(random.below(4), 1)
  if (random.chance(0.2)) fields.push(`"${random.pick(KEYS)}":${jsonText(random, 2)}`)
  const text = `{${fields.join(random.pick([',', ', ', ',\n']))}}`
  if (random.chance(0.95)) return random.pick(['', '', '', '\ufeff']) + text + random.pick(['', '', '\n', ' '])
  return random.pick([`[${text}]`, `${text}${text}`, jsonText(random), '['.repeat(random.below(2000)), ''])
}
