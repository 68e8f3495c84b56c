/**
 * Stage 2 of 8, signature: decides whether GoValid sent these bytes. In: the signed bytes, the `X-GoValid-Signature` header, the secrets.
 * Out: which secret matched. Refuses everything but `sha256=` and the 64 lowercase hex digits of the right HMAC-SHA256.
 *
 * Source: govalid docs, webhooks setup; RFC 2104.
 */
import type { SecretKeys } from '../crypto/secrets.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { Refusal } from '../types.js'

/** A valid signature. */
export interface Verified {
  /** Which configured secret matched, from 0. */
  readonly secretIndex: number
}

/** The name of the signature header, in lowercase. */
export const SIGNATURE_HEADER = 'x-govalid-signature'

// Only spaces and tabs may surround a header value (RFC 9110, 5.5), and some runtimes don't trim them.
const WELL_FORMED = /^[ \t]*sha256=[0-9a-f]{64}[ \t]*$/
const PREFIX = 'sha256='.length

/** Verifies a signature over the bytes it covers. Synchronous if the platform's crypto is. */
export function verifySignature(
  content: Uint8Array,
  header: unknown,
  secrets: SecretKeys,
): Verified | Refusal | Promise<Verified | Refusal> {
  const digits = readSignature(header)
  return typeof digits === 'string' ? verifyDigits(content, digits, secrets) : digits
}

/** Reads the digits of the signature header. A request without a well-formed signature is refused before its body is read. */
export function readSignature(header: unknown): string | Refusal {
  // `test` and `slice` are faster than a capturing group.
  if (typeof header === 'string' && WELL_FORMED.test(header)) return header.trim().slice(PREFIX)
  return { refused: isBlank(header) ? 'signature_missing' : 'signature_malformed' }
}

/** Verifies the digits of a signature over the bytes it covers. */
export function verifyDigits(
  content: Uint8Array,
  digits: string,
  { keys, hint }: SecretKeys,
): Verified | Refusal | Promise<Verified | Refusal> {
  // Every secret is checked, even after a match, so that the time doesn't reveal which secret matched.
  const verdicts = keys.map((key) => key.matches(content, digits))
  return verdicts.some(isPromiseLike)
    ? Promise.all(verdicts.map((verdict) => Promise.resolve(verdict))).then((all) => judge(all, hint))
    : judge(verdicts as readonly boolean[], hint)
}

function isBlank(header: unknown): boolean {
  return typeof header !== 'string' || /^[ \t]*$/.test(header)
}

function judge(verdicts: readonly boolean[], hint: string | undefined): Verified | Refusal {
  const secretIndex = verdicts.indexOf(true)
  if (secretIndex >= 0) return { secretIndex }
  return hint === undefined ? { refused: 'signature_mismatch' } : { refused: 'signature_mismatch', hint }
}
