/**
 * Part of stage 5: what a delivery is known by. The SHA-256 of the bytes the signature covers, or of what the user's function makes of it.
 * GoValid sends no event id, and `webhook_id` is the subscription's: it is the same in every delivery.
 */
import type { Digest } from '../crypto/digest.js'
import { encodeUtf8 } from '../crypto/encoding.js'

/** The user's function. */
export type KeyFunction = (delivery: {
  readonly rawBody: Uint8Array
  readonly payload: Readonly<Record<string, unknown>>
}) => string

/** The key the user's function names, hashed; `undefined` when it throws or names none. */
export function userKey(
  digest: Digest,
  keyFunction: KeyFunction,
  rawBody: Uint8Array,
  payload: Readonly<Record<string, unknown>>,
): string | Promise<string> | undefined {
  let named: unknown
  try {
    named = keyFunction({ rawBody, payload })
    // An asynchronous function names no key; what it rejects with must not end the process.
    if (named instanceof Promise) named.catch(() => {})
  } catch {
    return undefined
  }
  return typeof named === 'string' && named !== '' ? digest(encodeUtf8(named)) : undefined
}
