/**
 * The story of a delivery: from an HTTP request to an outcome, stages 1 to 7 in order. Stage 8, the answer, belongs to the adapter.
 */

import { startDeadline, withTimeout } from '../clock.js'
import type { Digest } from '../crypto/digest.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { Handlers } from '../receiver/handlers.js'
import type { SecretLoader } from '../receiver/secret-loader.js'
import type { Delivery, Outcome, Refusal } from '../types.js'
import { acceptDelivery } from './accept.js'
import { readEnvelope } from './envelope.js'
import { applySchema, judgeEvent, readEvent, schemaFor } from './event.js'
import { type EventWork, type Origin, receivedAt, type WorkMeans } from './handler-run.js'
import { userKey } from './idempotency-key.js'
import { processEvent } from './process.js'
import { type QuarantineCase, quarantine } from './quarantine.js'
import { readRawBody } from './raw-body.js'
import { SIGNATURE_HEADER, verifySignature } from './signature.js'
import { cutSignatureField } from './signed-content.js'

/** What one receiver receives with. */
export interface ReceiveMeans extends WorkMeans {
  readonly handlers: Handlers
  readonly digest: Digest
  /** The secrets; loads them on the first delivery. What stops it is an outcome. */
  loadSecrets: SecretLoader
}

const SCHEMA_CALL_MS = 1000
const SCHEMA_LATE = 'a schema did not answer in time'

/** Work that nobody waits for an answer of: its handlers may take their whole time, and there is room for the last writes. */
const PATIENT_EXTRA_MS = 60_000

/** Receives one delivery. Never rejects. */
export async function receiveDelivery(means: ReceiveMeans, delivery: Delivery, origin: Origin): Promise<Outcome> {
  const { settings } = means
  const isSender = origin.from === 'sender'
  const responseMs = isSender ? settings.deadlineMs : settings.handlerTimeoutMs + PATIENT_EXTRA_MS
  const deadline = startDeadline(settings.clock, responseMs)
  // 1. raw body: the bytes as they were sent. Here as below, what is at hand is not waited for: a turn costs more than a stage.
  // What an inbox or the quarantine hands out was measured when it came in.
  const limits = isSender ? settings : { ...settings, maxBodyBytes: Number.POSITIVE_INFINITY }
  const reading = readRawBody(delivery, limits)
  const rawBody = isPromiseLike(reading) ? await reading : reading
  if (!(rawBody instanceof Uint8Array)) return refuse(means, rawBody)
  // 2. signature: GoValid sent exactly these bytes. Nothing else is asked or called before this is known.
  const loading = means.loadSecrets(deadline)
  const secrets = isPromiseLike(loading) ? await loading : loading
  if ('status' in secrets) return secrets
  const content = settings.signedContent === 'body' ? rawBody : cutSignatureField(rawBody)
  const verifying = verifySignature(content, delivery.header(SIGNATURE_HEADER), secrets)
  const verified = isPromiseLike(verifying) ? await verifying : verifying
  const read = { delivery, rawBody, deadline, origin }
  if ('refused' in verified) return refuseForged(means, read, content, verified)
  const { secretIndex } = verified
  const digesting = means.digest(content)
  const contentKey = isPromiseLike(digesting) ? await digesting : digesting
  // 3. envelope: an object with the name of its event.
  const envelope = readEnvelope(content)
  if ('unworkable' in envelope)
    return setAside(means, read, { key: contentKey, code: envelope.unworkable, secretIndex })
  const { type, payload } = envelope
  const key = settings.idempotencyKey ? await deliveryKey(means, rawBody, payload, contentKey) : contentKey
  // 4. event: typed, with its issues; too old or too new is nobody's work. Its age was judged already where it was accepted before.
  const event = readEvent(type, payload)
  const code = judgeEvent(event, deadline.startedAt, isSender ? settings : { ...settings, maxAgeMs: false })
  if (code) return setAside(means, read, { key, code, eventType: type, secretIndex })
  const handlers = means.handlers.of(type)
  const work: EventWork = { delivery, rawBody, deadline, origin, key, read: event, handlers, secretIndex }
  // With an inbox the answer is given here; the rest is done when the inbox hands the delivery out again.
  if (settings.inbox && isSender) return acceptDelivery(means, settings.inbox, work)
  if (handlers.length === 0) return { status: 'ignored', event: event.event, idempotencyKey: key, secretIndex }
  // 5. claim, 6. dispatch, 7. completion: see work.ts.
  return schemaFor(type, settings.schemas) ? workThroughSchema(means, work) : processEvent(means, work)
}

/** Stage 4 goes on: the user's schema has the last word on `data`. One that fails is a failed try. */
async function workThroughSchema(means: ReceiveMeans, work: EventWork): Promise<Outcome> {
  const { settings } = means
  const { read, key, secretIndex, deadline } = work
  const limitMs = Math.min(SCHEMA_CALL_MS, deadline.left())
  const verdict = await withTimeout(settings.clock, limitMs, () => applySchema(read, settings.schemas))
  if (verdict.status === 'late') return processEvent(means, { ...work, schemaFailure: { error: SCHEMA_LATE } })
  if (verdict.status === 'error') return processEvent(means, { ...work, schemaFailure: verdict })
  if (!('refused' in verdict.value))
    return processEvent(means, { ...work, read: { ...read, event: verdict.value.event } })
  const about = { key, code: 'schema_refused', eventType: read.event.event, secretIndex } as const
  return setAside(means, work, { ...about, error: verdict.value.refused })
}

/** What a delivery is before it is known to be an event. */
type Unread = Pick<EventWork, 'delivery' | 'rawBody' | 'deadline' | 'origin'>

/** What an inbox or the quarantine hands out was verified before: what does not verify now was written by somebody else. */
async function refuseForged(
  means: ReceiveMeans,
  unread: Unread,
  content: Uint8Array,
  refusal: Refusal,
): Promise<Outcome> {
  const refused = refuse(means, refusal)
  if (unread.origin.from !== 'inbox') return refused
  return setAside(means, unread, { key: await means.digest(content), code: 'job_forged' })
}

/** Sets a delivery aside that no handler ever saw. */
async function setAside(
  means: ReceiveMeans,
  { delivery, rawBody, deadline, origin }: Unread,
  about: Pick<QuarantineCase, 'key' | 'code' | 'error'> & {
    readonly eventType?: string
    readonly secretIndex?: number
  },
): Promise<Outcome> {
  const { key, code, eventType, error, secretIndex } = about
  const from = { delivery, isAccepted: origin.from === 'inbox', receivedAt: receivedAt({ origin, deadline }) }
  const given = { ...from, key, code, eventType, rawBody, error }
  const outcome = await quarantine(means.quarantine, deadline, given)
  return { idempotencyKey: key, ...(secretIndex !== undefined && { secretIndex }), ...outcome }
}

function refuse(means: ReceiveMeans, { refused: code, hint }: Refusal): Outcome {
  const about = hint === undefined ? {} : { hint }
  means.reporter.report({ code, message: hint === undefined ? REFUSED[code] : `${REFUSED[code]} ${hint}` })
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
  const { digest, settings, reporter } = means
  const key = settings.idempotencyKey && (await userKey(digest, settings.idempotencyKey, rawBody, payload))
  if (key !== undefined) return key
  const message = 'idempotencyKey threw or gave no text; the delivery is known by its bytes instead.'
  reporter.report({ code: 'idempotency_key_failed', message, idempotencyKey: contentKey })
  return contentKey
}
