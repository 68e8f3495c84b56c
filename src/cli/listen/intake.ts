/**
 * What becomes of a delivery at `listen`: verified, kept, answered by a receiver of this package or by the address it is forwarded to, and
 * the answer kept too. In: an arrival. Out: the answer for its sender.
 */
import { createReceiver } from '../../create-receiver.js'
import { createSecretKeys } from '../../crypto/secrets.js'
import { toResponse, type WebhookResponse } from '../../delivery/response.js'
import { SIGNATURE_HEADER, verifySignature } from '../../delivery/signature.js'
import { cutSignatureField } from '../../delivery/signed-content.js'
import type { RefusedCode } from '../../errors.js'
import type { DeliverySummary, GivenResponse, HeaderLine } from '../inspector/wire.js'
import { failureOf, outcomeOf } from '../terminal/post.js'
import type { DeliveryLog } from './delivery-log.js'
import { endToEnd, type Forwarded, forward } from './forward.js'
import { type Arrival, headerOf, toRecord } from './record.js'

/** An answer as it is written: that of a receiver, or that of the address it was forwarded to. */
export interface WrittenResponse {
  readonly status: number
  readonly headers: readonly HeaderLine[]
  readonly body: string | Uint8Array
  /** Whether the rest of the request will not be read. */
  readonly closes: boolean
}

/** Takes deliveries. */
export interface Intake {
  /** Takes one. `refused` says why its body was not read to its end. */
  take(
    arrival: Arrival,
    refused?: RefusedCode,
  ): Promise<{ readonly response: WrittenResponse; readonly summary: DeliverySummary }>
  /** Ends what is running. */
  close(): Promise<void>
}

/** What an intake works with. */
export interface IntakeMeans {
  readonly secret: string
  readonly signedContent: 'body' | 'body-without-signature'
  readonly log: DeliveryLog
  /** Where deliveries are forwarded to. */
  readonly forwardTo: string | undefined
  /** Told of every delivery when it comes, and again when it is answered. */
  onChange(summary: DeliverySummary): void
}

interface Judged {
  readonly written: WrittenResponse
  readonly given: GivenResponse
}

/** Makes an intake. */
export function createIntake(means: IntakeMeans): Intake {
  const { secret, signedContent, log, forwardTo } = means
  const keys = createSecretKeys(secret)
  const receiver = createReceiver({ secret, signedContent, onError: () => {} })
    .on('*', () => {})
    .onUnknown(() => {})
  const respondMyself = async ({ method, headers, rawBody }: Arrival): Promise<Judged> => {
    const startedAt = performance.now()
    const outcome = await receiver.receive({ method, header: (name) => headerOf(headers, name), body: rawBody })
    return own(toResponse(outcome), outcome.status, since(startedAt))
  }
  const judge = (arrival: Arrival, refused: RefusedCode | undefined): Judged | Promise<Judged> => {
    if (refused !== undefined) return own(toResponse({ status: 'refused', code: refused }), 'refused', 0)
    return forwardTo === undefined ? respondMyself(arrival) : passOn(forwardTo, arrival, secret)
  }
  return {
    async take(arrival, refused) {
      const content = signedContent === 'body' ? arrival.rawBody : cutSignatureField(arrival.rawBody)
      const verdict = await verifySignature(content, headerOf(arrival.headers, SIGNATURE_HEADER), keys)
      const arrived = log.add(toRecord(arrival, !arrival.isCut && !('refused' in verdict)))
      means.onChange(arrived)
      const { written, given } = await judge(arrival, refused)
      const summary = log.response(arrived.id, given) ?? arrived
      means.onChange(summary)
      return { response: written, summary }
    },
    close: () => receiver.close(),
  }
}

function own(response: WebhookResponse, outcome: string, tookMs: number): Judged {
  const { status, body, closes } = response
  const headers = Object.entries(response.headers)
  const failure = failureOf({ status, text: body, tookMs }) ?? null
  return {
    written: { status, headers, body, closes },
    given: { by: 'listen', status, outcome, failure, headers, text: body, tookMs },
  }
}

async function passOn(address: string, arrival: Arrival, secret: string): Promise<Judged> {
  const { status, reason, headers, body, tookMs } = await forward(address, arrival)
  // What is kept and shown must not hold the secret, even where the endpoint says it.
  const withoutSecret = (text: string) => text.replaceAll(secret, '[the secret]')
  const text = withoutSecret(Buffer.from(body).toString('utf8'))
  const shown = headers.map(([name, value]) => [name, withoutSecret(value)] as const)
  const response = { text, tookMs, ...(status !== undefined && { status }), ...(reason !== undefined && { reason }) }
  const told = { outcome: outcomeOf(response) ?? null, failure: failureOf(response) ?? null }
  return {
    written: written({ status, headers, body }, reason),
    given: { by: 'forward', status: status ?? null, ...told, headers: shown, text, tookMs },
  }
}

/** Without an answer to pass on, it is one that makes GoValid come again. */
function written(
  { status, headers, body }: Pick<Forwarded, 'headers' | 'body'> & { status: number | undefined },
  reason?: string,
): WrittenResponse {
  if (status !== undefined) return { status, headers: endToEnd(headers), body, closes: false }
  const isLate = reason?.startsWith('no answer within') === true
  return {
    status: isLate ? 504 : 502,
    headers: [['content-type', 'application/json']],
    body: '{"status":"not_forwarded"}',
    closes: false,
  }
}

function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 10) / 10
}
