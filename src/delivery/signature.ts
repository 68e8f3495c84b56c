/**
 * Stage 2 of 8, signature: decides whether GoValid sent these bytes. In: the signed bytes, the `X-GoValid-Signature` header, the secrets.
 * Out: which secret matched.
 * Refuses everything but `sha256=` and 64 lower-case hex digits of the right HMAC-SHA256. No store is called before this stage passed.
 *
 * Source: govalid docs, webhooks setup; RFC 2104.
 */
import type { SecretKeys } from '../crypto/secrets.js'
import type { Refusal } from '../types.js'

/** Bytes that GoValid vouches for. */
export interface Verified {
  /** Which configured secret matched, from 0. */
  readonly secretIndex: number
}

/** The header GoValid signs with, in lower case. */
export const SIGNATURE_HEADER = 'x-govalid-signature'

// Only SP and HTAB may surround a field's value (RFC 9110, 5.5); some runtimes leave them on.
const WELL_FORMED = /^[ \t]*sha256=([0-9a-f]{64})[ \t]*$/

/** Verifies a signature over the bytes it covers. Synchronous where the platform's crypto is. */
export function verifySignature(
  content: Uint8Array,
  header: unknown,
  secrets: SecretKeys,
): Verified | Refusal | Promise<Verified | Refusal> {
  if (typeof header !== 'string' || /^[ \t]*$/.test(header)) return { refused: 'signature_missing' }
  const digits = WELL_FORMED.exec(header)?.[1]
  if (digits === undefined) return { refused: 'signature_malformed' }
  // Every secret is tried, whichever matched: the time taken must not tell which one did.
  const matches = secrets.keys.map((key) => key.matches(content, digits))
  return matches.some((match) => typeof match !== 'boolean')
    ? Promise.all(matches.map((match) => Promise.resolve(match))).then((settled) => judge(settled, secrets))
    : judge(matches as boolean[], secrets)
}

function judge(matches: readonly boolean[], secrets: SecretKeys): Verified | Refusal {
  const secretIndex = matches.indexOf(true)
  if (secretIndex >= 0) return { secretIndex }
  return { refused: 'signature_mismatch', ...(secrets.hint !== undefined && { hint: secrets.hint }) }
}
