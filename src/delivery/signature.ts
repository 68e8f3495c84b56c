/**
 * Stage 2 of 8, signature: decides whether GoValid sent these bytes. In: the signed bytes, the `X-GoValid-Signature` header, the secrets.
 * Out: which secret matched.
 * Refuses everything but `sha256=` and 64 lower-case hex digits of the right HMAC-SHA256. No store is called before this stage passed.
 *
 * Source: govalid docs, webhooks setup; RFC 2104.
 */
import type { HmacKey } from '../crypto/hmac.js'
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
  const digits = typeof header === 'string' ? WELL_FORMED.exec(header)?.[1] : undefined
  if (digits === undefined) return { refused: isBlank(header) ? 'signature_missing' : 'signature_malformed' }
  // Every secret is tried, whichever matched: the time taken must not tell which one did.
  const { keys } = secrets
  let found = -1
  for (let index = 0; index < keys.length; index++) {
    const matches = (keys[index] as HmacKey).matches(content, digits)
    if (typeof matches !== 'boolean') return verifyLater(matches, content, digits, secrets)
    if (matches && found < 0) found = index
  }
  return judge(found, secrets)
}

function isBlank(header: unknown): boolean {
  return typeof header !== 'string' || /^[ \t]*$/.test(header)
}

/** The same where verdicts come later; that of the first secret is on its way already. */
async function verifyLater(
  first: Promise<boolean>,
  content: Uint8Array,
  digits: string,
  secrets: SecretKeys,
): Promise<Verified | Refusal> {
  const { keys } = secrets
  let found = (await first) ? 0 : -1
  for (let index = 1; index < keys.length; index++) {
    if ((await (keys[index] as HmacKey).matches(content, digits)) && found < 0) found = index
  }
  return judge(found, secrets)
}

function judge(secretIndex: number, { hint }: SecretKeys): Verified | Refusal {
  if (secretIndex >= 0) return { secretIndex }
  return hint === undefined ? { refused: 'signature_mismatch' } : { refused: 'signature_mismatch', hint }
}
