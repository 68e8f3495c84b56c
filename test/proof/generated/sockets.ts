/**
 * Sends generated inputs to a target over sockets, in batches. A batch is all forged or all authentic, so that each handler or store call
 * is known to belong to the one or the other.
 */

import type { RequestSpec } from '../../acceptance/case.js'
import { h, JSON_TYPE } from '../../acceptance/deliveries.js'
import { pathOf, type Target } from '../../acceptance/target.js'
import { exchange, type Reply, toBytes } from '../../acceptance/tcp.js'
import { SECRET } from '../../acceptance/variants.js'
import { isAuthentic } from '../hostile/judge.js'
import { createRandom, type Random } from '../random.js'
import { count, LATE_MS, noInputs, type Zeros } from '../zeros.js'
import { makeInput, NOW } from './inputs.js'

interface Sent {
  readonly kind: string
  readonly request: RequestSpec
}

const AT_ONCE = 16

/** Plays `inputs` of a seed against a target. */
export async function playSockets(target: Target, seed: number, inputs: number): Promise<Zeros> {
  const zeros = noInputs()
  const random = createRandom(seed)
  const waiting = { forged: [] as Sent[], authentic: [] as Sent[] }
  await target.control({ do: 'reset' })
  await target.control({ do: 'set-time', epochMs: NOW })
  for (let made = 0; made < inputs; made++) {
    const sent = toSent(random)
    const kind = isAuthentic(sent.request, [SECRET]) ? 'authentic' : 'forged'
    waiting[kind].push(sent)
    if (waiting[kind].length === AT_ONCE) await playBatch(target, waiting[kind].splice(0), kind === 'authentic', zeros)
  }
  await playBatch(target, waiting.forged, false, zeros)
  await playBatch(target, waiting.authentic, true, zeros)
  return zeros
}

/** Makes a request of an input. A header that isn't a string can't be sent; bodies that break off are left to the acceptance list. */
function toSent(random: Random): Sent {
  const { kind, bytes, header } = makeInput(random)
  const headers = typeof header === 'string' ? [JSON_TYPE, h('X-GoValid-Signature', onTheWire(header))] : [JSON_TYPE]
  const framing = random.chance(0.2) ? { framing: { chunked: random.pick([1, 7, 64, 4096]) } } : {}
  return { kind, request: { headers, body: bytes, ...framing } }
}

/** Encodes one byte per character. NUL, CR and LF are replaced, because they would change the request; the acceptance list covers them. */
function onTheWire(header: string): string {
  return Buffer.from(header, 'latin1')
    .toString('latin1')
    .replace(/[\0\r\n]/g, '?')
}

async function playBatch(target: Target, batch: readonly Sent[], isAuthentic: boolean, zeros: Zeros): Promise<void> {
  if (batch.length === 0) return
  const path = (target.path ?? pathOf)('default')
  const replies = await Promise.all(batch.map(({ request }) => exchange(target.port, toBytes(request, path))))
  const seen = await target.control({ do: 'observe' })
  for (const [index, sent] of batch.entries()) judgeReply(sent, replies[index] as Reply, isAuthentic, zeros)
  const about = `a batch of ${batch.map(({ kind }) => kind).join(', ')}`
  if (!isAuthentic && seen.handled.length > 0) count(zeros, 'forgedCalls', about)
  if (!isAuthentic && seen.store.claim + seen.store.complete + seen.store.release > 0)
    count(zeros, 'earlyStoreCalls', about)
  if (seen.handled.length > batch.length) count(zeros, 'wrongVerdicts', `${seen.handled.length} calls for ${about}`)
  for (const fault of seen.faults) count(zeros, 'unhandled', fault)
}

function judgeReply({ kind, request }: Sent, reply: Reply, isAuthentic: boolean, zeros: Zeros): void {
  const { status, tookMs } = reply
  const about = () =>
    `${kind}: ${status}: ${JSON.stringify(request.headers)} ${Buffer.from(request.body ?? []).toString('base64')}`
  zeros.inputs++
  if (isAuthentic) zeros.verified++
  if (status === 'closed' || status >= 500) count(zeros, 'crashes', about())
  else if (isAuthentic && status >= 400) count(zeros, 'refusedVerified', about())
  // The transport refuses a character that no header may contain, with 400.
  else if (isAuthentic ? status !== 200 : status !== 401 && status !== 400) count(zeros, 'wrongVerdicts', about())
  if (tookMs > LATE_MS) count(zeros, 'lateResponses', about())
}
