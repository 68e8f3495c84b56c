/**
 * The story of a delivery: from an HTTP request to an outcome, stages 1 to 7 in order. Stage 8, the answer, belongs to the adapter.
 */
import { settleWithin, startDeadline } from './clock.js'
import type { Digest } from './crypto/digest.js'
import type { SecretKeys } from './crypto/secrets.js'
import { readEnvelope } from './delivery/envelope.js'
import { applySchema, judgeEvent, readEvent, schemaFor } from './delivery/event.js'
import { userKey } from './delivery/idempotency-key.js'
import { readRawBody } from './delivery/raw-body.js'
import { SIGNATURE_HEADER, verifySignature } from './delivery/signature.js'
import { cutSignatureMember } from './delivery/signed-content.js'
import type { QuarantinedCode } from './errors.js'
import type { Handlers } from './handlers.js'
import { quarantine } from './quarantine.js'
import type { EventWork, WorkMeans } from './run.js'
import type { Delivery, Outcome, Refusal } from './types.js'
import { workEvent } from './work.js'

/** What one receiver receives with. */
export interface ReceiveMeans extends WorkMeans {
  readonly handlers: Handlers
  readonly digest: Digest
  /** The secrets; loads them on the first delivery. What stops it is an outcome. */
  loadSecrets(limitMs: number): Promise<SecretKeys | Outcome> | SecretKeys
}

const SECRET_CALL_MS = 1000
const SCHEMA_CALL_MS = 1000

/** Receives one delivery. Never rejects. */
export async function receiveDelivery(means: ReceiveMeans, delivery: Delivery, rework = false): Promise<Outcome> {
  const { settings } = means
  const deadline = startDeadline(settings.clock, settings.deadlineMs)
  // 1. raw body: the bytes as they were sent.
  const rawBody = await readRawBody(delivery, settings)
  if ('refused' in rawBody) return refuse(means, rawBody)
  // 2. signature: GoValid sent exactly these bytes. Nothing else is asked or called before this is known.
  const secrets = await means.loadSecrets(Math.min(SECRET_CALL_MS, deadline.left()))
  if ('status' in secrets) return secrets
  const content = settings.signedContent === 'body' ? rawBody : cutSignatureMember(rawBody)
  const verified = await verifySignature(content, delivery.header(SIGNATURE_HEADER), secrets)
  if ('refused' in verified) return refuse(means, verified)
  const { secretIndex } = verified
  const contentKey = await means.digest(content)
  const setAside = async (
    code: QuarantinedCode,
    key: string,
    eventType?: string,
    error?: unknown,
  ): Promise<Outcome> => {
    const given = { key, code, eventType, rawBody, delivery, receivedAt: deadline.startedAt, error }
    return { idempotencyKey: key, secretIndex, ...(await quarantine(means.quarantine, deadline, given)) }
  }
  // 3. envelope: an object with the name of its event.
  const envelope = readEnvelope(content)
  if ('unworkable' in envelope) return setAside(envelope.unworkable, contentKey)
  const { type, payload } = envelope
  const key = await deliveryKey(means, rawBody, payload, contentKey)
  // 4. event: typed, with its issues; too old, too new or refused by a schema is nobody's work.
  const read = readEvent(type, payload)
  const judged = judgeEvent(read, deadline.startedAt, rework ? { ...settings, maxAgeMs: false } : settings)
  if (judged) return setAside(judged, key, type)
  const handlers = means.handlers.of(type)
  if (handlers.length === 0) return { status: 'ignored', event: read.event, idempotencyKey: key, secretIndex }
  const work: EventWork = { delivery, rawBody, key, read, handlers, secretIndex, deadline, rework }
  if (!schemaFor(type, settings.schemas)) return workEvent(means, work)
  const limitMs = Math.min(SCHEMA_CALL_MS, deadline.left())
  const verdict = await settleWithin(settings.clock, limitMs, () => applySchema(read, settings.schemas))
  if (verdict.status !== 'value') return workEvent(means, { ...work, schemaError: 'a schema did not answer in time' })
  if ('threw' in verdict.value) return workEvent(means, { ...work, schemaError: verdict.value.threw })
  if ('refused' in verdict.value) return setAside('schema_refused', key, type, verdict.value.refused)
  // 5. claim, 6. dispatch, 7. completion: see work.ts.
  return workEvent(means, { ...work, read: { ...read, event: verdict.value.event } })
}

function refuse(means: ReceiveMeans, { refused: code, hint }: Refusal): Outcome {
  const about = hint === undefined ? {} : { hint }
  means.reporter.trouble({ code, message: hint === undefined ? REFUSED[code] : `${REFUSED[code]} ${hint}` })
  return { status: 'refused', code, ...about }
}

const REFUSED: Readonly<Record<Refusal['refused'], string>> = {
  method_not_allowed: 'A request was not a POST.',
  body_read_failed: 'A body broke off before its end.',
  body_timeout: 'A body did not arrive within bodyDeadlineMs.',
  body_too_large: 'A body is larger than maxBodyBytes.',
  body_encoded: 'A body is compressed; GoValid signs and sends plain bytes. A proxy in front may have done it.',
  body_already_parsed: 'Something read the body before the receiver could, so the signed bytes are gone.',
  signature_missing: 'A request has no X-GoValid-Signature header.',
  signature_malformed: 'An X-GoValid-Signature is not "sha256=" and 64 lower-case hex digits.',
  signature_mismatch:
    'A signature matches none of the configured secrets: another secret, or a body that was changed on its way. See docs/errors.md.',
  secret_missing: 'The secret’s function gave no usable secret.',
}

async function deliveryKey(
  means: ReceiveMeans,
  rawBody: Uint8Array,
  payload: Readonly<Record<string, unknown>>,
  contentKey: string,
): Promise<string> {
  const { idempotencyKey } = means.settings
  if (!idempotencyKey) return contentKey
  const key = await userKey(means.digest, idempotencyKey, rawBody, payload)
  if (key !== undefined) return key
  const message = 'idempotencyKey threw or gave no text; the delivery is known by its bytes instead.'
  means.reporter.trouble({ code: 'idempotency_key_failed', message, idempotencyKey: contentKey })
  return contentKey
}
