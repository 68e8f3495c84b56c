/**
 * Verification without a receiver, for those who route requests themselves: both reject instead of answering with a boolean, so that a
 * forgotten `await` or `if` cannot let a forgery in unseen.
 */
import { createSecretKeys, type Secret, type SecretKeys } from './crypto/secrets.js'
import { readEnvelope } from './delivery/envelope.js'
import { readEvent } from './delivery/event.js'
import { bytesAtHand } from './delivery/raw-body.js'
import { verifySignature } from './delivery/signature.js'
import { WebhookError } from './errors.js'
import type { ParsedEvent } from './events/events.js'

/** A raw body: text stands for its UTF-8 bytes. */
export type Payload = string | Uint8Array | ArrayBuffer

/**
 * Verifies a payload of any kind. Resolves to nothing when GoValid (or whoever knows the secret) signed exactly these bytes.
 *
 * @throws {@link WebhookError} `signature_missing`, `signature_malformed`, `signature_mismatch`; `secret_missing`, `secret_blank`,
 * `option_invalid` for an unusable secret.
 * @throws TypeError when the payload is no raw body, but for example a parsed object.
 *
 * @example
 * ```ts
 * import { assertSignature } from 'govalid-webhooks'
 *
 * export async function POST(request: Request) {
 *   const body = await request.text()
 *   await assertSignature(body, request.headers.get('x-govalid-signature'), process.env.GOVALID_WEBHOOK_SECRET)
 *   return new Response(null, { status: 200 })
 * }
 * ```
 */
export async function assertSignature(
  payload: Payload,
  signature: string | null | undefined,
  secret: Secret | readonly Secret[],
): Promise<void> {
  await verifiedBytes(payload, signature, secret)
}

/**
 * Verifies a payload and parses it: what you need next is what you get, so verification cannot be forgotten.
 *
 * @throws {@link WebhookError} as {@link assertSignature} does; `not_utf8`, `not_json`, `not_an_event` for a signed body that is no event.
 * @throws TypeError when the payload is no raw body, but for example a parsed object.
 *
 * @example
 * ```ts
 * import { verifyAndParse } from 'govalid-webhooks'
 *
 * export async function read(body: Uint8Array, signature: string | null) {
 *   const parsed = await verifyAndParse(body, signature, process.env.GOVALID_WEBHOOK_SECRET)
 *   if (parsed.known && parsed.event.event === 'qr.scanned') return parsed.event.data.scan_count
 * }
 * ```
 */
export async function verifyAndParse(
  payload: Payload,
  signature: string | null | undefined,
  secret: Secret | readonly Secret[],
): Promise<ParsedEvent> {
  return parseEvent(await verifiedBytes(payload, signature, secret))
}

/**
 * Parses a payload **that is verified already** (or is your own): typed by its `event`, with the departures from the documented shape.
 *
 * @throws {@link WebhookError} `not_utf8`, `not_json`, `not_an_event`.
 * @throws TypeError when the payload is no raw body, but for example a parsed object.
 *
 * @example
 * ```ts
 * import { parseEvent } from 'govalid-webhooks'
 *
 * const parsed = parseEvent('{"event":"qr.scanned","data":{}}')
 * if (parsed.known) console.log(parsed.event.event, parsed.issues)
 * ```
 */
export function parseEvent(payload: Payload): ParsedEvent {
  const envelope = readEnvelope(rawBytes(payload))
  if ('unworkable' in envelope) {
    throw new WebhookError(
      envelope.unworkable,
      'The payload is no event: strict UTF-8, JSON, an object with a non-empty "event".',
    )
  }
  const { event, known, issues } = readEvent(envelope.type, envelope.payload)
  return { event, known, issues } as ParsedEvent
}

async function verifiedBytes(
  payload: Payload,
  signature: string | null | undefined,
  secret: Secret | readonly Secret[],
): Promise<Uint8Array> {
  const rawBody = rawBytes(payload)
  const verified = await verifySignature(rawBody, signature, keysOf(secret))
  if ('refused' in verified) {
    throw new WebhookError(
      verified.refused,
      `The signature was refused. ${verified.hint ?? 'See docs/errors.md for the usual causes.'}`,
    )
  }
  return rawBody
}

/** The keys of the last secret: most processes have one, and to import it anew each time takes WebCrypto longer than to verify. */
let last: { readonly secret: string; readonly keys: SecretKeys } | undefined

function keysOf(secret: Secret | readonly Secret[]): SecretKeys {
  if (typeof secret !== 'string') return createSecretKeys(secret)
  if (last?.secret !== secret) last = { secret, keys: createSecretKeys(secret) }
  return last.keys
}

function rawBytes(payload: Payload): Uint8Array {
  const bytes = payload === null ? undefined : bytesAtHand(payload)
  if (bytes) return bytes
  throw new TypeError(
    `The payload must be the raw body (a string, a Uint8Array or an ArrayBuffer), not ${typeof payload}: the signed bytes cannot be ` +
      'made again from a parsed object. Read the body before anything parses it.',
  )
}
