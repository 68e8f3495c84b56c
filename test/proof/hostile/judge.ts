/** Judges a target's reaction to one input without the SDK: `createHmac` over its bytes decides whether it is authentic. */

import type { RequestSpec } from '../../acceptance/case.js'
import { signatureOf } from '../../acceptance/deliveries.js'
import type { Observations } from '../../acceptance/observations.js'
import { RESPONSES } from '../../acceptance/responses.js'
import type { Reply } from '../../acceptance/tcp.js'
import { count, LATE_MS, type Zeros } from '../zeros.js'
import { type HostileInput, secretsOf } from './inputs.js'

/** Whether a request has exactly one signature header, and its value is valid for the body. */
export function isAuthentic(
  { headers, body = new Uint8Array(0) }: RequestSpec,
  secrets: readonly (string | Uint8Array)[],
): boolean {
  const signatures = headers.filter(({ name }) => name.toLowerCase() === 'x-govalid-signature')
  const value = signatures.length === 1 ? signatures[0]?.value.replace(/^[ \t]+|[ \t]+$/g, '') : undefined
  return secrets.some((secret) => value === signatureOf(body, secret))
}

const OWN_SERVER_ERRORS = ['failed', 'busy', 'unfinished', 'unavailable', 'body_already_parsed'] as const
const OWN_BODIES: readonly string[] = OWN_SERVER_ERRORS.map((name) => RESPONSES[name].body)

/** Counts the faults of one reply. */
export function judge(input: HostileInput, reply: Reply, seen: Observations, zeros: Zeros): void {
  const isVerified = isAuthentic(input.request, secretsOf(input))
  const { status } = reply
  const wrong = (fault: Parameters<typeof count>[1]) =>
    count(zeros, fault, `${input.name}: ${status} ${JSON.stringify(seen.outcomes)}`)
  zeros.inputs++
  if (isVerified) zeros.verified++
  const isListed = input.listed?.includes(status) ?? false
  // Rows with failing handlers expect a 5xx of the SDK; any other 5xx is a crash.
  const isOwn = OWN_BODIES.includes(reply.body)
  if (!isListed && (status === 'closed' || (status >= 500 && !isOwn))) wrong('crashes')
  if (!isVerified && seen.handled.length > 0) wrong('forgedCalls')
  if (!isVerified && seen.store.claim + seen.store.complete + seen.store.release > 0) wrong('earlyStoreCalls')
  // A request that was refused for its transport was never verified. The acceptance list marks these rows.
  const outcome = seen.outcomes[0]
  const isUnread = isListed || (outcome?.status === 'refused' && !outcome.code?.startsWith('signature_'))
  if (isVerified && !isUnread && Number(status) >= 400 && Number(status) < 500) wrong('refusedVerified')
  if (input.accept !== undefined && input.accept !== (status === 200)) wrong('wrongVerdicts')
  if (reply.tookMs > LATE_MS) wrong('lateResponses')
  for (const fault of seen.faults) count(zeros, 'unhandled', `${input.name}: ${fault}`)
}
