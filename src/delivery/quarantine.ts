/**
 * The quarantine: where an authentic delivery goes that can't be processed. With a sink the delivery is kept; without one it is reported
 * and dropped. Either way GoValid gets a 200, because another attempt couldn't help and a fifth failure would disable the webhook.
 * A delivery that an inbox accepted got its 200 earlier: without a sink it stays in the inbox, whose engine keeps failed jobs.
 */
import { withTimeout } from '../clock.js'
import type { QuarantinedCode } from '../errors.js'
import { errorText } from '../receiver/reporter.js'
import type { QuarantineEntry } from '../stores/store.js'
import type { Outcome } from '../types.js'
import { BACK_TO_INBOX, IS_DROPPED, IS_QUARANTINED, LATE, QUARANTINED } from './messages.js'
import { MAX_CALL_MS, type ReceivedBody, receivedAt, type Services } from './verified-event.js'

/** A delivery for the quarantine. */
export interface QuarantineCase {
  readonly received: ReceivedBody
  readonly key: string
  readonly code: QuarantinedCode
  readonly eventType?: string | undefined
  readonly attempt?: number | undefined
  readonly error?: unknown
}

/** How a call of the quarantine ended. */
export type QuarantineResult = Extract<Outcome, { status: 'quarantined' | 'unavailable' | 'failed' }>

/**
 * Gives a delivery to the quarantine; the only way in. Returns `quarantined`; `unavailable` if the sink didn't confirm within `limitMs`;
 * or `failed` without a sink if the delivery stays in its inbox. Never rejects.
 */
export async function quarantine(
  services: Services,
  entry: QuarantineCase,
  limitMs: number,
): Promise<QuarantineResult> {
  const { settings, reporter } = services
  const { code, error } = entry
  const sink = settings.quarantine
  if (!sink) return withoutSink(services, entry)
  const written = await withTimeout(settings.clock, Math.min(MAX_CALL_MS, limitMs), () => sink(toEntry(entry)))
  if (written.status === 'value') {
    reporter.report(
      { ...aboutCase(entry), code, message: `${QUARANTINED[code]} ${IS_QUARANTINED}` },
      entry.received.delivery,
    )
    return { status: 'quarantined', code, error }
  }
  const failure = written.status === 'error' ? written.error : LATE.quarantine
  const message = 'The quarantine did not confirm an entry. The delivery is not lost: another attempt follows.'
  reporter.report(
    { ...aboutCase(entry), code: 'quarantine_unavailable', message, error: failure },
    entry.received.delivery,
  )
  return { status: 'unavailable', code: 'quarantine_unavailable', error: failure }
}

function withoutSink({ reporter }: Services, entry: QuarantineCase): QuarantineResult {
  const { received, code, error } = entry
  if (received.origin.from === 'inbox') {
    reporter.report(
      { ...aboutCase(entry), code, message: `${QUARANTINED[code]} ${BACK_TO_INBOX}` },
      entry.received.delivery,
    )
    return { status: 'failed', error: error ?? QUARANTINED[code] }
  }
  const message = `${code}: ${QUARANTINED[code]} ${IS_DROPPED}`
  reporter.report({ ...aboutCase(entry), code: 'event_dropped', message }, entry.received.delivery)
  return { status: 'quarantined', code, error }
}

/**
 * Takes an entry out of the quarantine after a later success; the only way out. A failure is only reported, because reprocessing the entry
 * finds the delivery finished. Never rejects.
 */
export async function discardEntry({ settings, reporter }: Services, key: string): Promise<void> {
  const discarded = await withTimeout(settings.clock, MAX_CALL_MS, () => settings.quarantine?.discard?.(key))
  if (discarded.status === 'value') return
  const message =
    'A finished delivery could not be taken out of the quarantine. Reprocessing the entry will find it finished.'
  reporter.report({ code: 'quarantine_unavailable', message, idempotencyKey: key })
}

function aboutCase({ key, code, eventType, error }: QuarantineCase) {
  // A schema's messages quote the payload, which no report may hold.
  const isReportable = error !== undefined && code !== 'schema_refused'
  return { idempotencyKey: key, ...(eventType !== undefined && { eventType }), ...(isReportable && { error }) }
}

function toEntry({ received, key, code, eventType, attempt, error }: QuarantineCase): QuarantineEntry {
  const { headers } = received
  // The sink may change what it gets, and the entry may be written again.
  const rawBody = new Uint8Array(received.rawBody)
  const text = error === undefined ? undefined : errorText(error)
  return {
    key,
    code,
    eventType,
    rawBody,
    headers: { ...headers },
    error: text,
    receivedAt: receivedAt(received),
    attempt,
  }
}
