/** Collects everything that the inspector shows about one delivery. */
import { readEnvelope } from '../../delivery/envelope.js'
import { readEvent } from '../../delivery/event.js'
import { type Explanation, explain } from '../../testing/explain.js'
import { findReceiver } from '../init/written-receiver.js'
import type { DeliveryDetails, HeaderLine, Reading, Verification } from '../inspector/wire.js'
import { toCurl, toTest } from './copy.js'
import { bytesOf, type DeliveryRecord, summarize } from './record.js'
import type { ListenSettings } from './settings.js'

/** Returns the details of a recorded delivery. `all` are all recorded deliveries. The current secret is used to verify it. */
export async function detailsOf(
  record: DeliveryRecord,
  all: readonly DeliveryRecord[],
  settings: ListenSettings,
): Promise<DeliveryDetails> {
  const { headers, body, isCut, digest } = record
  return {
    ...{ headers, body, isCut, digest },
    summary: summarize(record),
    verification: await verificationOf(record, all, settings),
    reading: readingOf(bytesOf(record)),
    response: record.response ?? null,
    attempts: all.filter((other) => other.digest === digest).map(summarize),
    curl: toCurl(record, targetOf(record, settings)),
    test: await toTest(record, findReceiver(settings.folder)),
  }
}

/** The maximum number of other bodies to try a signature on. */
const MAX_OTHERS = 20

/** Verifies the delivery alone first, because a changed body explains more than a signature that belongs to another delivery. */
async function verificationOf(
  record: DeliveryRecord,
  all: readonly DeliveryRecord[],
  { secret, otherSecrets, signedContent }: ListenSettings,
): Promise<Verification> {
  const input = {
    rawBody: bytesOf(record),
    headers: toLists(record.headers),
    ...{ secret, otherSecrets, signedContent },
  }
  const alone = await explain(input)
  if (alone.valid || alone.proven) return toVerification(alone, [])
  const others = all.filter(({ digest }) => digest !== record.digest).slice(-MAX_OTHERS)
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
  for (const [name, value] of headers) {
    const list = lists.get(name.toLowerCase()) ?? []
    list.push(value)
    lists.set(name.toLowerCase(), list)
  }
  return Object.fromEntries(lists)
}

function readingOf(rawBody: Uint8Array): Reading {
  const envelope = readEnvelope(rawBody)
  if ('unprocessable' in envelope) return { unprocessable: envelope.unprocessable }
  const { known, issues } = readEvent(envelope)
  return {
    known,
    issues: issues.map(({ path, expected, received }) => ({ path: path.join('.'), expected, received })),
  }
}

/** Returns the URL for a copied curl command. With `--forward`, the command goes straight to the handlers. */
function targetOf({ path }: DeliveryRecord, { endpoint, forwardTo }: ListenSettings): string {
  if (forwardTo !== undefined) return forwardTo
  return /^\/[\w./~%-]*$/.test(path) ? new URL(path, endpoint).href : endpoint
}
