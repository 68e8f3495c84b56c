/**
 * The quarantine: where an authentic delivery goes that cannot be worked. With a sink it is kept; without one it is reported and dropped.
 * Either way the sender is answered 200: another try could not help, and a fifth failure would disable the webhook. What an inbox has
 * accepted was answered long ago: without a sink it stays in the inbox, whose engine keeps what has failed.
 */
import { type Clock, type Deadline, withTimeout } from '../clock.js'
import type { QuarantinedCode } from '../errors.js'
import { errorText, type Reporter } from '../receiver/reporter.js'
import type { QuarantineEntry, QuarantineSink } from '../stores/store.js'
import type { Delivery, Outcome } from '../types.js'
import { SIGNATURE_HEADER } from './signature.js'

const SINK_CALL_MS = 1000

/** What is known of a delivery that goes into quarantine. */
export interface QuarantineCase {
  readonly key: string
  readonly code: QuarantinedCode
  readonly eventType: string | undefined
  readonly rawBody: Uint8Array
  readonly delivery: Delivery
  /** An inbox has accepted it, and keeps it until it is finished with. */
  readonly isAccepted: boolean
  readonly receivedAt: number
  readonly attempt?: number
  readonly error?: unknown
}

/** The sink and the hooks of one receiver. */
export interface QuarantineMeans {
  readonly sink: QuarantineSink | undefined
  readonly clock: Clock
  readonly reporter: Reporter
}

/** How setting a delivery aside ended. */
export type SetAside = Extract<Outcome, { status: 'quarantined' | 'unavailable' | 'failed' }>

/**
 * Gives a delivery to the quarantine. The outcome says `quarantined`, or `unavailable` when the sink did not confirm in time, or `failed` where
 * there is none and the delivery stays in its inbox.
 */
export async function quarantine(means: QuarantineMeans, deadline: Deadline, given: QuarantineCase): Promise<SetAside> {
  const { sink, clock, reporter } = means
  const outcome = { status: 'quarantined', code: given.code, error: given.error } as const
  if (!sink) return withoutSink(reporter, given)
  const settled = await withTimeout(clock, Math.min(SINK_CALL_MS, deadline.left()), () => sink(toEntry(given)))
  if (settled.status === 'value') {
    reporter.report({
      ...aboutCase(given),
      code: given.code,
      message: `${WHY[given.code]} It is kept in the quarantine.`,
    })
    return outcome
  }
  const error = settled.status === 'error' ? settled.error : 'the sink did not answer in time'
  const message = 'The quarantine did not take a delivery; it is answered 503.'
  reporter.report({ ...aboutCase(given), code: 'quarantine_unavailable', message, error })
  return { status: 'unavailable', code: 'quarantine_unavailable', error }
}

function withoutSink(reporter: Reporter, given: QuarantineCase): SetAside {
  const { code, error, isAccepted } = given
  if (isAccepted) {
    reporter.report({
      ...aboutCase(given),
      code,
      message: `${WHY[code]} There is no quarantine, so it goes back to the inbox as a failed job.`,
    })
    return { status: 'failed', error: error ?? WHY[code] }
  }
  reporter.report({ ...aboutCase(given), code: 'event_dropped', message: `${code}: ${WHY[code]} ${NO_SINK}` })
  return { status: 'quarantined', code, error }
}

/** Takes an entry back when a later try succeeded after all. A failure is only reported: a rework of the entry finds it done. */
export async function discardEntry(means: QuarantineMeans, key: string): Promise<void> {
  const { sink, clock, reporter } = means
  if (!sink?.discard) return
  const settled = await withTimeout(clock, SINK_CALL_MS, () => sink.discard?.(key))
  if (settled.status === 'value') return
  const message = 'An entry could not be taken out of the quarantine; working it again will find it done.'
  reporter.report({ code: 'quarantine_unavailable', message, idempotencyKey: key })
}

const NO_SINK = 'There is no quarantine to keep it, so it is dropped. Give createReceiver one, or a store that has one.'

const WHY: Readonly<Record<QuarantinedCode, string>> = {
  not_utf8: 'A signed body is not valid UTF-8.',
  not_json: 'A signed body is not JSON.',
  not_an_event: 'A signed body is not an event: no object with a non-empty "event".',
  stale:
    'A signed event is older than maxAgeMs, so no handler was called. The dashboard’s Test may send an old timestamp: that is fine.',
  from_future: 'A signed event is more than 24 hours in the future, so no handler was called.',
  schema_refused:
    'A schema of yours refused the data of an event; what it says of it is in the outcome and the quarantine only.',
  drift_refused: 'An event departs from the documented shape and validation is strict.',
  permanent_error: 'A handler threw a PermanentError.',
  job_forged: 'A job in the inbox’s queue is not signed by GoValid: somebody else wrote it. It was not run.',
  retry_pending: 'A delivery fails again and again; it is kept in case its last try never arrives.',
  attempts_exhausted: 'The last try of a delivery did not finish.',
  handler_crashed: 'Every earlier try of a delivery ended with the process, so the last one was not run.',
}

function aboutCase({ key, code, eventType, error }: QuarantineCase) {
  // A schema's messages quote the payload, which is in no report.
  const isTold = error !== undefined && code !== 'schema_refused'
  return { idempotencyKey: key, ...(eventType !== undefined && { eventType }), ...(isTold && { error }) }
}

function toEntry(given: QuarantineCase): QuarantineEntry {
  const { key, code, eventType, rawBody, delivery, receivedAt, attempt } = given
  const signature = delivery.header(SIGNATURE_HEADER)
  const headers = delivery.headers?.() ?? (typeof signature === 'string' ? { [SIGNATURE_HEADER]: signature } : {})
  const error = given.error === undefined ? undefined : errorText(given.error)
  return { key, code, eventType, rawBody, headers, error, receivedAt, attempt }
}
