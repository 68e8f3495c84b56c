/**
 * The story of a delivery, from an HTTP request to an outcome: all eight stages in order. A stage that stops the delivery returns early.
 * A value that is already available isn't awaited, because awaiting costs more than most stages.
 */
import { startDeadline, withTimeout } from '../clock.js'
import type { SecretKeys } from '../crypto/secrets.js'
import type { StandardSchema } from '../events/standard-schema.js'
import { isPromiseLike } from '../maybe-promise.js'
import { ownDelivery } from '../receiver/own-delivery.js'
import type { Delivery, Outcome, Refusal } from '../types.js'
import { acceptDelivery } from './accept.js'
import { type Claimed, claimDelivery } from './claim.js'
import { readEnvelope } from './envelope.js'
import { applySchema, judgeAge, readEvent, retainUntil, schemaFor } from './event.js'
import { finish } from './finish.js'
import { idempotencyKey } from './idempotency-key.js'
import { LATE, REASON, REFUSED } from './messages.js'
import { processClaimed } from './process.js'
import { type QuarantineCase, quarantine } from './quarantine.js'
import { type BodyLimits, readRawBody, refuseUnread } from './raw-body.js'
import { readSignature, SIGNATURE_HEADER, type Verified, verifyDigits } from './signature.js'
import { cutSignatureField } from './signed-content.js'
import {
  aboutOutcome,
  type Origin,
  type ReceivedBody,
  type Services,
  toVerifiedEvent,
  unclaimedAttempt,
  type VerifiedEvent,
} from './verified-event.js'

/** The maximum time of a user's schema, in milliseconds. */
const SCHEMA_CALL_MS = 1000
/** Added to `handlerTimeoutMs` for deliveries from an inbox or the quarantine: time for the last writes. */
const LAST_WRITES_MS = 60_000

const NO_HEADERS: Readonly<Record<string, string>> = {}

/** Receives one delivery. `seen` gets the event type as soon as it is known. */
export async function receive(
  services: Services,
  request: Delivery,
  origin: Origin,
  seen: { eventType?: string },
): Promise<Outcome> {
  const { settings } = services
  const isKept = settings.quarantine !== undefined || settings.inbox !== undefined
  const delivery = ownDelivery(request, isKept)
  const isFromSender = origin.from === 'sender'
  const timeMs = isFromSender ? settings.deadlineMs : settings.handlerTimeoutMs + LAST_WRITES_MS
  const deadline = startDeadline(settings.clock, timeMs)
  services.firstDeliveryAt()

  // 1. Raw body: the bytes as they were sent. A request that GoValid can't have sent is refused before its body is read.
  const limits = isFromSender ? settings : withoutSizeLimit(settings)
  const signature = delivery.header(SIGNATURE_HEADER)
  const digits = readSignature(signature)
  const isUnsigned = typeof digits !== 'string'
  const refusal = refuseUnread(delivery, limits) ?? (isUnsigned && isFromSender ? digits : undefined)
  if (refusal) return refuse(services, delivery, refusal)
  const reading = readRawBody(delivery, limits)
  const rawBody = isPromiseLike(reading) ? await reading : reading
  if ('refused' in rawBody) return refuse(services, delivery, rawBody)
  const headers = isKept ? copyHeaders(delivery, signature) : NO_HEADERS
  const received: ReceivedBody = { delivery, rawBody, headers, deadline, origin }

  // 2. Signature: GoValid sent exactly these bytes. No store, handler or quarantine is called before this is known.
  const loading = services.loadSecrets(deadline)
  const secrets = isPromiseLike(loading) ? await loading : loading
  if ('status' in secrets) return secrets
  const content = settings.signedContent === 'body' ? rawBody : cutSignatureField(rawBody)
  const verifying = isUnsigned ? digits : verifyDigits(content, digits, secrets)
  const judged = isPromiseLike(verifying) ? await verifying : verifying
  const again = 'refused' in judged && !isUnsigned ? services.reloadSecrets(deadline) : undefined
  const verified = again ? await verifyAgain(content, digits as string, again, judged) : judged
  if ('refused' in verified) return refuseForged(services, received, content, verified)
  const { secretIndex } = verified

  // 3. Envelope: a JSON object with the name of its event.
  const envelope = readEnvelope(content)
  const keying = idempotencyKey(services, { rawBody, content, envelope })
  const key = isPromiseLike(keying) ? await keying : keying
  const stop = { received, key, secretIndex }
  if ('unprocessable' in envelope) return quarantineUnhandled(services, { ...stop, code: envelope.unprocessable })

  // 4. Event: typed, neither too old nor too new, and accepted by your schema. An inbox stores it here and hands it out again later.
  const eventType = envelope.type
  seen.eventType = eventType
  const schema = schemaFor(eventType, settings.schemas)
  const read = readEvent(envelope, schema !== undefined)
  const code = isFromSender ? judgeAge(read, deadline.startedAt, settings.maxAgeMs) : undefined
  if (code) return quarantineUnhandled(services, { ...stop, code, eventType })
  const details = {
    key,
    secretIndex,
    eventType,
    handlers: services.handlers.of(eventType),
    retainUntil: retainUntil(read, deadline.startedAt, settings.maxAgeMs, isFromSender),
  }
  const unchecked = toVerifiedEvent(received, read, details)
  if (settings.inbox && isFromSender) return acceptDelivery(services, settings.inbox, unchecked)
  if (unchecked.handlers.length === 0) return { ...aboutOutcome(unchecked), status: 'ignored' }
  const checked = schema ? await checkData(services, schema, unchecked) : unchecked
  if ('refused' in checked)
    return quarantineUnhandled(services, { ...stop, code: 'schema_refused', eventType, error: checked.refused })

  // 5. Claim: if several processes receive this delivery, exactly one processes it.
  const claiming = claimDelivery(services, checked)
  const claimed = isPromiseLike(claiming) ? await claiming : claiming
  if (claimed.status !== 'claimed') return finishUnclaimed(services, checked, claimed)

  // 6. Dispatch: the handlers run until the deadline, and then in the background.
  // 7. Completion: the store records how the attempt ended before the sender knows.
  const processing = processClaimed(services, checked, claimed.claim)
  const outcome = isPromiseLike(processing) ? await processing : processing

  // 8. Response: the adapter turns the outcome into a response (`toResponse`).
  return outcome
}

/** A body from an inbox or the quarantine was measured when it arrived. */
function withoutSizeLimit({ clock, bodyDeadlineMs }: BodyLimits): BodyLimits {
  return { clock, bodyDeadlineMs, maxBodyBytes: Number.POSITIVE_INFINITY }
}

function copyHeaders(delivery: Delivery, signature: unknown): Readonly<Record<string, string>> {
  const headers = delivery.headers?.() ?? NO_HEADERS
  return typeof signature === 'string' ? { ...headers, [SIGNATURE_HEADER]: signature } : headers
}

function refuse({ reporter }: Services, delivery: Delivery, { refused: code, hint, error }: Refusal): Outcome {
  const message = hint === undefined ? REFUSED[code] : `${REFUSED[code]} ${hint}`
  reporter.report({ code, message, ...(error !== undefined && { error }) }, delivery)
  return hint === undefined ? { status: 'refused', code } : { status: 'refused', code, hint }
}

/** Verifies with the secrets that the secret function returns now, in case a secret was rotated. */
async function verifyAgain(
  content: Uint8Array,
  digits: string,
  loading: Promise<SecretKeys | undefined>,
  judged: Verified | Refusal,
): Promise<Verified | Refusal> {
  const secrets = await loading
  return secrets ? verifyDigits(content, digits, secrets) : judged
}

/** A delivery from an inbox was verified when it arrived. If it doesn't verify now, GoValid didn't write it. */
async function refuseForged(
  services: Services,
  received: ReceivedBody,
  content: Uint8Array,
  refusal: Refusal,
): Promise<Outcome> {
  const refused = refuse(services, received.delivery, refusal)
  if (received.origin.from !== 'inbox') return refused
  const key = await services.digest(content)
  return quarantineUnhandled(services, { received, key, code: 'job_forged' })
}

/** Quarantines a delivery that no handler will see. */
async function quarantineUnhandled(
  services: Services,
  { secretIndex, ...entry }: QuarantineCase & { readonly secretIndex?: number },
): Promise<Outcome> {
  const result = await quarantine(services, entry, entry.received.deadline.left())
  return { idempotencyKey: entry.key, ...(secretIndex !== undefined && { secretIndex }), ...result }
}

/** Applies the user's schema. If it throws, the attempt fails under its claim, before any handler runs. */
async function checkData(
  services: Services,
  schema: StandardSchema,
  event: VerifiedEvent,
): Promise<VerifiedEvent | { readonly refused: string }> {
  const limitMs = Math.min(SCHEMA_CALL_MS, event.deadline.left())
  const result = await withTimeout(services.settings.clock, limitMs, () => applySchema(schema, event.event))
  if (result.status === 'late') return { ...event, schemaFailure: { error: LATE.schema } }
  if (result.status === 'error') return { ...event, schemaFailure: { error: result.error } }
  return 'refused' in result.value ? result.value : { ...event, event: result.value.event }
}

function finishUnclaimed(
  services: Services,
  event: VerifiedEvent,
  claimed: Exclude<Claimed, { readonly status: 'claimed' }>,
): Outcome | Promise<Outcome> {
  const { status } = claimed
  if (status === 'done') return { ...aboutOutcome(event), status: 'duplicate' }
  if (status === 'busy') {
    const attempt = unclaimedAttempt(services, event, claimed.attempt)
    return finish(attempt, { how: 'busy', error: REASON.stillBusy, isLate: false })
  }
  const { error } = claimed
  return finish(unclaimedAttempt(services, event), { how: 'unavailable', code: status, error, isLate: false })
}
