// Sends generated inputs to a target over sockets, some at once. A batch is all forged or all authentic, so that what the target did
// while it lasted is known to be about the one or the other.

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

/** An input as a request. What no string is cannot be sent as a header; a body that breaks off is the acceptance list's. */
function toSent(random: Random): Sent {
  const { kind, bytes, header } = makeInput(random)
  const headers = typeof header === 'string' ? [JSON_TYPE, h('X-GoValid-Signature', onTheWire(header))] : [JSON_TYPE]
  const framing = random.chance(0.2) ? { framing: { chunked: random.pick([1, 7, 64, 4096]) } } : {}
  return { kind, request: { headers, body: bytes, ...framing } }
}

/** One byte a character; NUL, CR and LF would make another request of it, and have a case of their own. */
function onTheWire(header: string): string {
  return Buffer.from(header, 'latin1')
    .toString('latin1')
    .replace(/[\0\r\n]/g, '?')
}

async function playBatch(target: Target, batch: readonly Sent[], authentic: boolean, zeros: Zeros): Promise<void> {
  if (batch.length === 0) return
  const path = (target.path ?? pathOf)('default')
  const replies = await Promise.all(batch.map(({ request }) => exchange(target.port, toBytes(request, path))))
  const seen = await target.control({ do: 'observe' })
  for (const [index, sent] of batch.entries()) judgeReply(sent, replies[index] as Reply, authentic, zeros)
  const about = `a batch of ${batch.map(({ kind }) => kind).join(', ')}`
  if (!authentic && seen.handled.length > 0) count(zeros, 'forgedCalls', about)
  if (!authentic && seen.store.claim + seen.store.complete + seen.store.release > 0)
    count(zeros, 'earlyStoreCalls', about)
  if (seen.handled.length > batch.length) count(zeros, 'wrongVerdicts', `${seen.handled.length} calls for ${about}`)
  for (const fault of seen.faults) count(zeros, 'unhandled', fault)
}

function judgeReply({ kind, request }: Sent, reply: Reply, authentic: boolean, zeros: Zeros): void {
  const { status, tookMs } = reply
  const about = () =>
    `${kind}: ${status}: ${JSON.stringify(request.headers)} ${Buffer.from(request.body ?? []).toString('base64')}`
  zeros.inputs++
  if (authentic) zeros.verified++
  if (status === 'closed' || status >= 500) count(zeros, 'crashes', about())
  else if (authentic && status >= 400) count(zeros, 'refusedVerified', about())
  // A character that no header may have is the transport's to refuse: 400.
  else if (authentic ? status !== 200 : status !== 401 && status !== 400) count(zeros, 'wrongVerdicts', about())
  if (tookMs > LATE_MS) count(zeros, 'lateResponses', about())
}
