/**
 * Part of stage 5: the key that deduplicates a delivery. It is the SHA-256 of the bytes that the signature covers, or of the text that the
 * user's function returns. GoValid sends no event id, and `webhook_id` identifies the subscription: it is the same in every delivery.
 */
import { encodeUtf8 } from '../crypto/encoding.js'
import { andThen, isPromiseLike, type MaybePromise } from '../maybe-promise.js'
import { type PayloadEnvelope, readEnvelope, type Unprocessable } from './envelope.js'
import type { Services } from './verified-event.js'

/** The bodies of one delivery: as sent, as signed, and as read. */
export interface KeySource {
  readonly rawBody: Uint8Array
  readonly content: Uint8Array
  readonly envelope: PayloadEnvelope | Unprocessable
}

/** The key of a delivery: 64 lowercase hex digits. A user's function that fails is reported, and the content is the key instead. */
export function idempotencyKey(
  services: Services,
  { rawBody, content, envelope }: KeySource,
): string | Promise<string> {
  const { digest, settings, reporter } = services
  const { idempotencyKey: keyFunction } = settings
  if (!keyFunction || 'unprocessable' in envelope) return digest(content)
  // The function gets copies, because it may change them.
  const copy = readEnvelope(content)
  const { payload } = 'payload' in copy ? copy : envelope
  const text = callKeyFunction(() => keyFunction({ rawBody: new Uint8Array(rawBody), payload }))
  if (text !== undefined) return digest(encodeUtf8(text))
  const message =
    'idempotencyKey must return a non-empty string; it threw or returned something else. The delivery is deduplicated by its bytes.'
  return andThen(digest(content), (key) => {
    reporter.report({ code: 'idempotency_key_failed', message, idempotencyKey: key })
    return key
  })
}

function callKeyFunction(call: () => MaybePromise<unknown>): string | undefined {
  try {
    const text = call()
    // An asynchronous function isn't supported. Its rejection must not end the process.
    if (isPromiseLike(text)) text.then(undefined, () => {})
    return typeof text === 'string' && text !== '' ? text : undefined
  } catch {
    return undefined
  }
}
