/**
 * Looks for the reading of header, secret and body under which the signature is right. In: every reading of each. Out: the nearest one,
 * by what had to be overlooked. What it finds is an explanation, never a reason to accept anything.
 */
import { encodeHex } from '../../crypto/encoding.js'
import { createHmacKey, type HmacKey } from '../../crypto/hmac.js'
import type { BodyReading } from './body-readings.js'
import { type Finding, finding } from './findings.js'
import type { Algorithm, HeaderReading } from './header-readings.js'
import { joinBytes } from './join-bytes.js'
import type { SecretReading } from './secret-readings.js'

/** Everything that may have been meant. */
export interface Readings {
  readonly headers: readonly HeaderReading[]
  readonly secrets: readonly SecretReading[]
  readonly bodies: readonly BodyReading[]
}

/** What has to be wrong with secret and body, `most` things at the most, for the signature to be right; `undefined` when that is not it. */
export async function findMatch(
  { headers, secrets, bodies }: Readings,
  most: number,
): Promise<readonly Finding[] | undefined> {
  const keys = new Map(secrets.map((secret) => [secret, createHmacKey(secret.key)]))
  for (const pair of nearestFirst(secrets, bodies, most)) {
    for (const header of headers) {
      const isMatch = header.mac && (await matches(header.mac, pair, keys.get(pair.secret) as HmacKey))
      if (isMatch) return [...header.findings, ...pair.secret.findings, ...pair.body.findings]
    }
  }
  return undefined
}

interface Pair {
  readonly secret: SecretReading
  readonly body: BodyReading
}

function nearestFirst(
  secrets: readonly SecretReading[],
  bodies: readonly BodyReading[],
  most: number,
): readonly Pair[] {
  const pairs = secrets.flatMap((secret) => bodies.map((body) => ({ secret, body })))
  const distance = ({ secret, body }: Pair) => secret.findings.length + body.findings.length
  const near = pairs.filter((pair) => distance(pair) <= most)
  return near.sort((a, b) => distance(a) - distance(b))
}

async function matches(mac: { algorithm: Algorithm; digits: string }, pair: Pair, key: HmacKey): Promise<boolean> {
  if (mac.algorithm === 'SHA-256') return key.matches(pair.body.bytes, mac.digits)
  // Another algorithm explains enough by itself: only what was configured and received is tried with it.
  if (pair.secret.findings.length + pair.body.findings.length > 0) return false
  return (await hmac(mac.algorithm, pair.secret.key, pair.body.bytes)) === mac.digits
}

async function hmac(hash: Algorithm, key: Uint8Array, content: Uint8Array): Promise<string> {
  const imported = await crypto.subtle.importKey('raw', copyOf(key), { name: 'HMAC', hash }, false, ['sign'])
  return encodeHex(new Uint8Array(await crypto.subtle.sign('HMAC', imported, copyOf(content))))
}

/** Whether the signature is a plain hash of the first body, with the secret put before or behind it, or without it. */
export async function findPlainHash({ headers, secrets, bodies }: Readings): Promise<readonly Finding[] | undefined> {
  const body = bodies[0]?.bytes ?? new Uint8Array(0)
  for (const { mac, findings } of headers) {
    if (!mac) continue
    for (const { key } of secrets.filter((secret) => secret.findings.length === 0)) {
      const contents = [body, joinBytes(key, body), joinBytes(body, key)]
      const hashes = await Promise.all(contents.map((content) => crypto.subtle.digest(mac.algorithm, copyOf(content))))
      const isPlain = hashes.some((hash) => encodeHex(new Uint8Array(hash)) === mac.digits)
      if (isPlain) return [...findings, finding('header_algorithm', 'it is a plain hash, without HMAC')]
    }
  }
  return undefined
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
