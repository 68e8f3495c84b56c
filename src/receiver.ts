/**
 * The story of a delivery: from an HTTP request to an outcome, stages 1 to 7 in order. Stage 8, the answer, belongs to the adapter.
 */

import { acceptDelivery } from './accept.js'
import { settleWithin, startDeadline } from './clock.js'
import type { Digest } from './crypto/digest.js'
import type { SecretKeys } from './crypto/secrets.js'
import { readEnvelope } from './delivery/envelope.js'
import { applySchema, judgeEvent, readEvent, schemaFor } from './delivery/event.js'
import { userKey } from './delivery/idempotency-key.js'
import { readRawBody } from './delivery/raw-body.js'
import { SIGNATURE_HEADER, verifySignature } from './delivery/signature.js'
import { cutSignatureMember } from './delivery/signed-content.js'
import type { Handlers } from './handlers.js'
import { type QuarantineCase, quarantine } from './quarantine.js'
import { type EventWork, type Origin, receivedAt, type WorkMeans } from './run.js'
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
const SCHEMA_LATE = 'a schema did not answer in time'

/** Work that nobody waits for an answer of: its handlers may take their whole time, and there is room for the last writes. */
const PATIENT_EXTRA_MS = 60_000

/** Receives one delivery. Never rejects. */
export async function receiveDelivery(means: ReceiveMeans, delivery: Delivery, origin: Origin): Promise<Outcome> {
  const { settings } = means
  const isSender = origin.from === 'sender'
  const answerMs = isSender ? settings.deadlineMs : settings.handlerTimeoutMs + PATIENT_EXTRA_MS
  const deadline = startDeadline(settings.clock, answerMs)
  // 1. raw body: the bytes as they were sent.
  const rawBody = await readRawBody(delivery, settings)
  if ('refused' in rawBody) return refuse(means, rawBody)
  // 2. signature: GoValid sent exactly these bytes. Nothing else is asked or called before this is known.
  const secrets = await means.loadSecrets(Math.min(SECRET_CALL_MS, deadline.left()))
  if ('status' in secrets) return secrets
  const content = settings.signedContent === 'body' ? rawBody : cutSignatureMember(rawBody)
  const verified = await verifySignature(content, delivery.header(SIGNATURE_HEADER), secrets)
  const contentKey = 'refused' in verified && isSender ? '' : await means.digest(content)
  const read = { delivery, rawBody, deadline, origin }
  if ('refused' in verified) {
    const refusal = refuse(means, verified)
    // What an inbox hands out was verified before it was accepted: somebody else wrote this.
    return origin.from === 'inbox' ? setAside(means, read, { key: contentKey, code: 'job_forged' }) : refusal
  }
  const { secretIndex } = verified
  // 3. envelope: an object with the name of its event.
  const envelope = readEnvelope(content)
  if ('unworkable' in envelope)
    return setAside(means, read, { key: contentKey, code: envelope.unworkable, secretIndex })
  const { type, payload } = envelope
  const key = await deliveryKey(means, rawBody, payload, contentKey)
  // 4. event: typed, with its issues; too old or too new is nobody's work. Its age was judged already where it was accepted before.
  const event = readEvent(type, payload)
  const code = judgeEvent(event, deadline.startedAt, isSender ? settings : { ...settings, maxAgeMs: false })
  if (code) return setAside(means, read, { key, code, eventType: type, secretIndex })
  const work: EventWork = { ...read, key, read: event, handlers: means.handlers.of(type), secretIndex }
  // With an inbox the answer is given here; the rest is done when the inbox hands the delivery out again.
  if (settings.inbox && isSender) return acceptDelivery(means, settings.inbox, work)
  if (work.handlers.length === 0) return { status: 'ignored', event: event.event, idempotencyKey: key, secretIndex }
  // 5. claim, 6. dispatch, 7. completion: see work.ts.
  return schemaFor(type, settings.schemas) ? workThroughSchema(means, work) : workEvent(means, work)
}

/** Stage 4 goes on: the user's schema has the last word on `data`. One that fails is a failed try. */
async function workThroughSchema(means: ReceiveMeans, work: EventWork): Promise<Outcome> {
  const { settings } = means
  const { read, key, secretIndex, deadline } = work
  const limitMs = Math.min(SCHEMA_CALL_MS, deadline.left())
  const verdict = await settleWithin(settings.clock, limitMs, () => applySchema(read, settings.schemas))
  if (verdict.status === 'late') return workEvent(means, { ...work, schemaFailure: { error: SCHEMA_LATE } })
  if (verdict.status === 'error') return workEvent(means, { ...work, schemaFailure: verdict })
  if (!('refused' in verdict.value)) return workEvent(means, { ...work, read: { ...read, event: verdict.value.event } })
  const about = { key, code: 'schema_refused', eventType: read.event.event, secretIndex } as const
  return setAside(means, work, { ...about, error: verdict.value.refused })
}

/** Sets a delivery aside that no handler ever saw. */
async function setAside(
  means: ReceiveMeans,
  { delivery, rawBody, deadline, origin }: Pick<EventWork, 'delivery' | 'rawBody' | 'deadline' | 'origin'>,
  about: Pick<QuarantineCase, 'key' | 'code' | 'error'> & {
    readonly eventType?: string
    readonly secretIndex?: number
  },
): Promise<Outcome> {
  const { key, code, eventType, error, secretIndex } = about
  const given = { key, code, eventType, rawBody, delivery, receivedAt: receivedAt({ origin, deadline }), error }
  const outcome = await quarantine(means.quarantine, deadline, given)
  return { idempotencyKey: key, ...(secretIndex !== undefined && { secretIndex }), ...outcome }
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
