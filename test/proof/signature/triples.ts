/** Generates triples of body, header and secret, with valid and nearly valid signatures. */
import { createHash, createHmac } from 'node:crypto'
import type { Random } from '../random.js'

/** The input of a verifier. */
export interface Triple {
  /** The body as text, as the documented function takes it. It has no lone surrogates. */
  readonly body: string
  /** The header, or `null` if it is missing. */
  readonly header: string | null
  readonly secret: string
  /** The kind of mistake, or `right`. */
  readonly kind: string
}

type Making = (random: Random, given: { readonly body: string; readonly secret: string }) => string | null

const mac = (body: string, secret: string, algorithm = 'sha256') => createHmac(algorithm, secret).update(body).digest()
const right = ({ body, secret }: { readonly body: string; readonly secret: string }) =>
  `sha256=${mac(body, secret).toString('hex')}`

const BLANKS = [' ', '\t', '  ', ' \t']
const OTHER_BLANKS = ['\u00a0', '\v', '\f', '\u2003', '\ufeff', '\n', '\r', '\0']
const ODD = [...'0123456789abcdefABCDEFgGxX=, \t\0\u00e9\uff11\u0660']
const HEX = [...'0123456789abcdef']

/** All kinds of headers. */
const HEADERS: Readonly<Record<string, Making>> = {
  right: (_, given) => right(given),
  'right, blanks around': (random, given) => random.pick(BLANKS) + right(given) + random.pick(['', ...BLANKS]),
  'right, blanks after': (random, given) => right(given) + random.pick(BLANKS),
  'other white space around': (random, given) =>
    random.chance(0.5) ? random.pick(OTHER_BLANKS) + right(given) : right(given) + random.pick(OTHER_BLANKS),
  'one bit of the MAC': (random, given) => {
    const bytes = mac(given.body, given.secret)
    const at = random.below(256)
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
    return `sha256=${bytes.toString('hex')}`
  },
  'one digit': (random, given) => replaceAt(right(given), 7 + random.below(64), random.pick(HEX)),
  'one character': (random, given) => replaceAt(right(given), random.below(71), random.pick(ODD)),
  'one character more': (random, given) => insertAt(right(given), random.below(72), random.pick(ODD)),
  'one character less': (random, given) => insertAt(right(given), random.below(71), '', 1),
  truncated: (random, given) => right(given).slice(0, random.below(71)),
  'upper-case digits': (_, given) => `sha256=${right(given).slice(7).toUpperCase()}`,
  'upper-case prefix': (random, given) => random.pick(['SHA256=', 'Sha256=', 'sHa256=']) + right(given).slice(7),
  'another prefix': (random, given) =>
    random.pick(['sha1=', 'sha512=', 'sha-256=', 'sha256:', 'sha256', 'v1=', 'md5=', '=', '']) + right(given).slice(7),
  'another algorithm': (random, { body, secret }) => {
    const algorithm = random.pick(['sha1', 'sha224', 'sha384', 'sha512', 'md5'])
    return `${random.pick(['sha256', algorithm])}=${mac(body, secret, algorithm).toString('hex')}`
  },
  'another notation': (random, { body, secret }) =>
    `sha256=${mac(body, secret).toString(random.pick(['base64', 'base64url', 'latin1'] as const))}`,
  'hashes without a key': (random, { body, secret }) => {
    const content = random.pick([body, secret + body, body + secret])
    return `sha256=${createHash('sha256').update(content).digest('hex')}`
  },
  'another secret': (random, { body, secret }) =>
    right({ body, secret: random.pick([`${secret}\n`, `${secret} `, ` ${secret}`, secret.slice(1), `${secret}x`]) }),
  'another body': (random, { body, secret }) =>
    right({ body: random.pick([`${body}\n`, `${body} `, `\ufeff${body}`, body.slice(1), body.trim(), '']), secret }),
  twice: (random, given) => [right(given), random.pick([right(given), 'sha256='])].join(random.pick([', ', ',', ' '])),
  absent: () => null,
  empty: (random) => random.pick(['', ' ', '\t', 'sha256=', 'sha256', '=']),
  junk: (random) => text(random, 80),
  'junk after the prefix': (random) => `sha256=${text(random, 64)}`,
  'digits at random': (random) => `sha256=${Array.from({ length: 64 }, () => random.pick(HEX)).join('')}`,
}

const KINDS = Object.keys(HEADERS)
/** The share of triples with a valid signature. */
const RIGHT_SHARE = 0.2

/** Makes the next triple. */
export function makeTriple(random: Random): Triple {
  const body = makeBody(random)
  const secret = makeSecret(random)
  const kind = random.chance(RIGHT_SHARE) ? 'right' : random.pick(KINDS)
  const made = HEADERS[kind]?.(random, { body, secret }) ?? null
  return { body, secret, kind, header: made === null ? null : wellFormed(made) }
}

function makeBody(random: Random): string {
  if (random.chance(0.1)) return text(random, 300)
  const data = { qr_id: text(random, 12), qr_title: text(random, 40), scan_count: random.below(1e6) }
  const event = { event: 'qr.scanned', timestamp: new Date(1.7e12 + random.below(1e9)).toISOString(), data }
  return JSON.stringify(event, null, random.pick([0, 0, 1, 2])) + random.pick(['', '', '\n', ' '])
}

/** Makes a secret. It is never blank, because the receiver refuses blank secrets. */
function makeSecret(random: Random): string {
  const secret = random.chance(0.7)
    ? Array.from({ length: 1 + random.below(80) }, () => String.fromCharCode(33 + random.below(94))).join('')
    : text(random, 140)
  return secret.trim() === '' ? 'your_webhook_secret' : secret
}

/** Random text, mostly of ASCII characters. */
function text(random: Random, longest: number): string {
  const units = Array.from({ length: random.below(longest + 1) }, () =>
    random.chance(0.85) ? 32 + random.below(95) : random.below(random.pick([0x20, 0x100, 0x10000])),
  )
  return wellFormed(String.fromCharCode(...units))
}

/** Replaces lone surrogates, which can't be sent as UTF-8. */
function wellFormed(value: string): string {
  return Buffer.from(value).toString()
}

function replaceAt(value: string, at: number, other: string): string {
  return insertAt(value, at, other, 1)
}

function insertAt(value: string, at: number, other: string, removed = 0): string {
  return value.slice(0, at) + other + value.slice(at + removed)
}
