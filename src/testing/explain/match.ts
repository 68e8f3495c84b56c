/**
 * Searches the readings of the header, the secret and the body for a combination with a matching signature, and returns the one with the
 * fewest findings. The result explains a refusal. It is never a reason to accept a delivery.
 */
import { encodeHex } from '../../crypto/encoding.js'
import { createHmacKey, type HmacKey } from '../../crypto/hmac.js'
import { type BodyReading, joinBytes } from './body-readings.js'
import { type Finding, finding } from './findings.js'
import type { Algorithm, HeaderReading } from './header-readings.js'
import type { SecretReading } from './secret-readings.js'

/** Every reading of the header, the secret and the body. */
export interface Readings {
  readonly headers: readonly HeaderReading[]
  readonly secrets: readonly SecretReading[]
  readonly bodies: readonly BodyReading[]
}

/** Returns the findings of the nearest match with at most `maxFindings` in secret and body together, or `undefined` without a match. */
export async function findMatch(
  { headers, secrets, bodies }: Readings,
  maxFindings: number,
): Promise<readonly Finding[] | undefined> {
  const keys = new Map(secrets.map((secret) => [secret, createHmacKey(secret.key)]))
  for (const pair of nearestFirst(secrets, bodies, maxFindings)) {
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
  maxFindings: number,
): readonly Pair[] {
  const pairs = secrets.flatMap((secret) => bodies.map((body) => ({ secret, body })))
  const distance = ({ secret, body }: Pair) => secret.findings.length + body.findings.length
  const near = pairs.filter((pair) => distance(pair) <= maxFindings)
  return near.sort((a, b) => distance(a) - distance(b))
}

async function matches(mac: { algorithm: Algorithm; digits: string }, pair: Pair, key: HmacKey): Promise<boolean> {
  if (mac.algorithm === 'SHA-256') return key.matches(pair.body.bytes, mac.digits)
  // Another algorithm is an explanation by itself, so it is combined only with the unchanged secret and body.
  if (pair.secret.findings.length + pair.body.findings.length > 0) return false
  return (await hmac(mac.algorithm, pair.secret.key, pair.body.bytes)) === mac.digits
}

async function hmac(hash: Algorithm, key: Uint8Array, content: Uint8Array): Promise<string> {
  const imported = await crypto.subtle.importKey('raw', copyOf(key), { name: 'HMAC', hash }, false, ['sign'])
  return encodeHex(new Uint8Array(await crypto.subtle.sign('HMAC', imported, copyOf(content))))
}

/** Returns the findings if the signature is a plain hash of the first body: alone, after the secret or before the secret. */
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
