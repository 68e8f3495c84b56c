/**
 * Verification without a receiver, for applications that route requests themselves. `assertSignature` and `verifyAndParse` reject instead
 * of resolving to a boolean, so a forgotten `await` or `if` can't silently accept a forgery.
 */
import { createSecretKeys, type Secret, type SecretKeys } from './crypto/secrets.js'
import { readEnvelope } from './delivery/envelope.js'
import { readEvent } from './delivery/event.js'
import { completeBytes } from './delivery/raw-body.js'
import { verifySignature } from './delivery/signature.js'
import { WebhookError } from './errors.js'
import type { ParsedEvent } from './events/events.js'

/** A raw body. A string stands for its UTF-8 bytes. */
export type Payload = string | Uint8Array | ArrayBuffer

/**
 * Verifies that a payload was signed with one of the secrets. Resolves if it was, and rejects otherwise. The payload can be any bytes.
 *
 * @throws {@link WebhookError} `signature_missing`, `signature_malformed`, `signature_mismatch`; for an unusable secret
 * `secret_missing`, `secret_blank`, `option_invalid`.
 * @throws TypeError if the payload isn't a raw body, for example because it is a parsed object.
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
 * Verifies a payload and parses it. The event is only available through verification, so you can't forget to verify.
 *
 * @throws {@link WebhookError} the codes of {@link assertSignature}; `not_utf8`, `not_json`, `not_an_event` if the signed body isn't an
 * event.
 * @throws TypeError if the payload isn't a raw body, for example because it is a parsed object.
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
 * Parses a payload **that you have already verified**, or that you wrote yourself. The result is typed by its `event` and lists the
 * differences from the documented shape as `issues`.
 *
 * @throws {@link WebhookError} `not_utf8`, `not_json`, `not_an_event`.
 * @throws TypeError if the payload isn't a raw body, for example because it is a parsed object.
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
  if ('unprocessable' in envelope) {
    throw new WebhookError(
      envelope.unprocessable,
      'The payload must be valid UTF-8, JSON, and an object with a non-empty "event".',
    )
  }
  const { event, known, issues } = readEvent(envelope)
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
    const { refused, hint } = verified
    throw new WebhookError(refused, `The signature was refused.${hint === undefined ? '' : ` ${hint}`}`)
  }
  return rawBody
}

/** The keys of the last secret. Most processes use a single secret, and WebCrypto takes longer to import a key than to verify. */
let lastKeys: { readonly secret: string; readonly keys: SecretKeys } | undefined

function keysOf(secret: Secret | readonly Secret[]): SecretKeys {
  if (typeof secret !== 'string') return createSecretKeys(secret)
  if (lastKeys?.secret !== secret) lastKeys = { secret, keys: createSecretKeys(secret) }
  return lastKeys.keys
}

function rawBytes(payload: Payload): Uint8Array {
  const bytes = payload === null ? undefined : completeBytes(payload)
  if (bytes) return bytes
  throw new TypeError(
    `The payload must be the raw body (a string, a Uint8Array or an ArrayBuffer), not ${typeof payload}: a parsed object can't be ` +
      'turned back into the signed bytes. Read the body before anything parses it.',
  )
}
