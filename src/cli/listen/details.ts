/** Everything there is to say of one delivery. In: its record and the others. Out: what the page shows. */
import { readEnvelope } from '../../delivery/envelope.js'
import { readEvent } from '../../delivery/event.js'
import { type Explanation, explain } from '../../testing/explain.js'
import { findReceiver } from '../init/written-receiver.js'
import type { DeliveryDetails, HeaderLine, Reading, Verification } from '../inspector/wire.js'
import { toCurl, toTest } from './copy.js'
import type { DeliveryLog } from './delivery-log.js'
import { bytesOf, type DeliveryRecord, summarise } from './record.js'

/** What details are made with. */
export interface DetailMeans {
  readonly log: DeliveryLog
  readonly secret: string
  /** Secrets of other webhooks: perhaps one of them signed. */
  readonly otherSecrets: readonly string[]
  readonly signedContent: 'body' | 'body-without-signature'
  readonly endpoint: string
  readonly forwardTo: string | undefined
  /** Where it was started; perhaps the project's. */
  readonly folder: string
}

/** The details of a delivery, verified with the secret there is now. */
export async function detailsOf(means: DetailMeans, record: DeliveryRecord): Promise<DeliveryDetails> {
  const { headers, body, isCut, digest } = record
  return {
    ...{ headers, body, isCut, digest },
    summary: summarise(record),
    verification: await verificationOf(means, record),
    reading: readingOf(bytesOf(record)),
    response: record.response ?? null,
    attempts: means.log
      .all()
      .filter((other) => other.digest === digest)
      .map(summarise),
    curl: toCurl(record, addressFor(means, record)),
    test: toTest(record, findReceiver(means.folder)),
  }
}

/** How many other bodies a signature is tried on. */
const MAX_OTHERS = 20

/** On its own first: that it was changed on its way says more than whose signature it has. */
async function verificationOf(means: DetailMeans, record: DeliveryRecord): Promise<Verification> {
  const { log, secret, otherSecrets, signedContent } = means
  const input = {
    rawBody: bytesOf(record),
    headers: toLists(record.headers),
    ...{ secret, otherSecrets, signedContent },
  }
  const alone = await explain(input)
  if (alone.valid || alone.proven) return toVerification(alone, [])
  const others = log
    .all()
    .filter(({ digest }) => digest !== record.digest)
    .slice(-MAX_OTHERS)
  return toVerification(await explain({ ...input, otherBodies: others.map(bytesOf) }), others)
}

function toVerification(explanation: Explanation, others: readonly DeliveryRecord[]): Verification {
  if (explanation.valid) return { valid: true }
  const findings = explanation.findings.map(({ code, message, fix, index }) => {
    const isOther = code === 'body_of_other_delivery' && index !== undefined
    return { code, message, fix, delivery: (isOther ? others[index]?.id : undefined) ?? null }
  })
  return { valid: false, proven: explanation.proven, findings }
}

function toLists(headers: readonly HeaderLine[]): Readonly<Record<string, readonly string[]>> {
  const lists = new Map<string, string[]>()
  for (const [name, value] of headers) lists.set(name.toLowerCase(), [...(lists.get(name.toLowerCase()) ?? []), value])
  return Object.fromEntries(lists)
}

function readingOf(rawBody: Uint8Array): Reading {
  const envelope = readEnvelope(rawBody)
  if ('unworkable' in envelope) return { unworkable: envelope.unworkable }
  const { known, issues } = readEvent(envelope.type, envelope.payload)
  return {
    known,
    issues: issues.map(({ path, expected, received }) => ({ path: path.join('.'), expected, received })),
  }
}

/** Where a copied command sends to: where the handlers are. */
function addressFor({ endpoint, forwardTo }: DetailMeans, { path }: DeliveryRecord): string {
  if (forwardTo !== undefined) return forwardTo
  return /^\/[\w./~%-]*$/.test(path) ? new URL(path, endpoint).href : endpoint
}
