/**
 * The intake of `listen`: verifies a delivery, records it, and gets a response from a receiver of this package or from the URL that
 * deliveries are forwarded to. The response is recorded too.
 */
import { createRedact, type Redact } from '../../api/redact.js'
import { createReceiver } from '../../create-receiver.js'
import { createSecretKeys } from '../../crypto/secrets.js'
import { toResponse, type WebhookResponse } from '../../delivery/response.js'
import { SIGNATURE_HEADER, verifySignature } from '../../delivery/signature.js'
import { cutSignatureField } from '../../delivery/signed-content.js'
import type { RefusedCode } from '../../errors.js'
import type { DeliveryResponse, DeliverySummary, HeaderLine } from '../inspector/wire.js'
import { failureOf, outcomeOf, TIMED_OUT } from '../terminal/post.js'
import type { DeliveryLog } from './delivery-log.js'
import { endToEnd, type Forwarded, forward } from './forward.js'
import { type Arrival, headerOf, toRecord } from './record.js'

/** A response to write to the sender. */
export interface IntakeResponse {
  readonly status: number
  readonly headers: readonly HeaderLine[]
  readonly body: string | Uint8Array
  /** Whether to close the connection, because the rest of the request won't be read. */
  readonly closes: boolean
}

/** Takes in deliveries. */
export interface Intake {
  /** Takes in one delivery. `refused` is the reason why its body wasn't read completely. */
  take(
    arrival: Arrival,
    refused?: RefusedCode,
  ): Promise<{ readonly response: IntakeResponse; readonly summary: DeliverySummary }>
  /** Waits for running handlers and closes the receiver. */
  close(): Promise<void>
}

/** The options of `createIntake`. */
export interface IntakeOptions {
  readonly secret: string
  /** Secrets that the recorded responses don't contain either. */
  readonly otherSecrets: readonly string[]
  readonly signedContent: 'body' | 'body-without-signature'
  readonly log: DeliveryLog
  /** The URL to forward deliveries to. */
  readonly forwardTo: string | undefined
  /** Called twice for every delivery: on arrival, and when it is finished. */
  onChange(summary: DeliverySummary): void
}

/** A response, once as it is written to the sender and once as it is recorded. */
interface Exchange {
  readonly written: IntakeResponse
  readonly recorded: DeliveryResponse
}

/** Creates an intake. */
export function createIntake(options: IntakeOptions): Intake {
  const { secret, otherSecrets, signedContent, log, forwardTo, onChange } = options
  const redact = createRedact([secret, ...otherSecrets])
  const keys = createSecretKeys(secret)
  const receiver = createReceiver({ secret, signedContent, onError: () => {} })
    .on('*', () => {})
    .onUnknown(() => {})
  const receive = async ({ method, headers, rawBody }: Arrival): Promise<Exchange> => {
    const startedAt = performance.now()
    const outcome = await receiver.receive({ method, header: (name) => headerOf(headers, name), body: rawBody })
    return fromReceiver(toResponse(outcome), outcome.status, since(startedAt))
  }
  const respond = (arrival: Arrival, refused: RefusedCode | undefined): Exchange | Promise<Exchange> => {
    if (refused !== undefined) return fromReceiver(toResponse({ status: 'refused', code: refused }), 'refused', 0)
    return forwardTo === undefined ? receive(arrival) : forwardWithoutSecret(forwardTo, arrival, redact)
  }
  return {
    async take(arrival, refused) {
      const content = signedContent === 'body' ? arrival.rawBody : cutSignatureField(arrival.rawBody)
      const verdict = await verifySignature(content, headerOf(arrival.headers, SIGNATURE_HEADER), keys)
      const arrived = log.add(toRecord(arrival, !arrival.isCut && !('refused' in verdict)))
      onChange(arrived)
      const { written, recorded } = await respond(arrival, refused)
      const summary = log.response(arrived.id, recorded) ?? arrived
      onChange(summary)
      return { response: written, summary }
    },
    close: () => receiver.close(),
  }
}

function fromReceiver(response: WebhookResponse, outcome: string, tookMs: number): Exchange {
  const { status, body, closes } = response
  const headers = Object.entries(response.headers)
  const failure = failureOf({ status, text: body, tookMs }) ?? null
  return {
    written: { status, headers, body, closes },
    recorded: { by: 'listen', status, outcome, failure, headers, text: body, tookMs },
  }
}

/** Forwards a delivery. The secrets are removed from the recorded response, in case the endpoint's response contains one. */
async function forwardWithoutSecret(url: string, arrival: Arrival, redact: Redact): Promise<Exchange> {
  const { status, reason, headers, body, tookMs } = await forward(url, arrival)
  const text = redact(Buffer.from(body).toString('utf8'))
  const shownHeaders = headers.map(([name, value]) => [name, redact(value)] as const)
  const response = { text, tookMs, ...(status !== undefined && { status }), ...(reason !== undefined && { reason }) }
  const result = { outcome: outcomeOf(response) ?? null, failure: failureOf(response) ?? null }
  return {
    written: toIntakeResponse({ status, headers, body }, reason),
    recorded: { by: 'forward', status: status ?? null, ...result, headers: shownHeaders, text, tookMs },
  }
}

/** Passes a response on. If there is none, it responds with 504 or 502, which makes GoValid retry. */
function toIntakeResponse(
  { status, headers, body }: Pick<Forwarded, 'headers' | 'body'> & { status: number | undefined },
  reason?: string,
): IntakeResponse {
  if (status !== undefined) return { status, headers: endToEnd(headers), body, closes: false }
  return {
    status: reason === TIMED_OUT ? 504 : 502,
    headers: [['content-type', 'application/json']],
    body: '{"status":"not_forwarded"}',
    closes: false,
  }
}

function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 10) / 10
}
