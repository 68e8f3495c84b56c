/** The judge of the hostile proof counts each forbidden event, and nothing more. */
import { expect, test } from 'vitest'
import { scan, signed, withSignature } from '../../acceptance/deliveries.js'
import type { HandledCall, Observations } from '../../acceptance/observations.js'
import type { Reply } from '../../acceptance/tcp.js'
import { SECRET } from '../../acceptance/variants.js'
import { isAuthentic, judge } from '../../proof/hostile/judge.js'
import { type Fault, faultsOf, noInputs } from '../../proof/zeros.js'

const NO_OBSERVATIONS: Observations = {
  handled: [],
  store: { claim: 0, renew: 0, complete: 0, release: 0 },
  retainUntil: [],
  outcomes: [],
  reports: [],
  quarantined: [],
  discarded: [],
  closed: [],
  logged: [],
  faults: [],
  objectPrototype: [],
  now: 0,
}
const REFUSED: Reply = { status: 401, headers: {}, body: '{"status":"refused"}', tookMs: 3 }
const forged = withSignature(scan(), 'sha256=00')
const authentic = signed(scan())

test.each<[Fault, Partial<Reply>, Partial<Observations>, { authentic?: true; accept?: boolean }]>([
  ['crashes', { status: 'closed' }, {}, {}],
  ['crashes', { status: 500, body: 'Internal Server Error' }, {}, {}],
  ['forgedCalls', {}, { handled: [{} as HandledCall] }, {}],
  ['earlyStoreCalls', {}, { store: { claim: 1, renew: 0, complete: 0, release: 0 } }, {}],
  ['refusedVerified', {}, {}, { authentic: true }],
  ['refusedVerified', { status: 415 }, {}, { authentic: true }],
  ['wrongVerdicts', { status: 200 }, {}, { accept: false }],
  ['wrongVerdicts', {}, {}, { accept: true }],
  ['lateResponses', { tookMs: 4601 }, {}, {}],
  ['unhandled', {}, { faults: ['Error: unhandled rejection'] }, {}],
])('counts %s: %o %o', (fault, reply, observed, { authentic: isRight, ...known }) => {
  const zeros = noInputs()
  const input = { name: 'an input', request: isRight ? authentic : forged, ...known }
  judge(input, { ...REFUSED, ...reply }, { ...NO_OBSERVATIONS, ...observed }, zeros)
  expect(zeros).toMatchObject({ inputs: 1, [fault]: 1 })
  expect(faultsOf(zeros)).toBe(1)
  expect(zeros.examples).toHaveLength(1)
})

test('counts a correct response as an input only', () => {
  const zeros = noInputs()
  judge({ name: 'forged', request: forged }, REFUSED, NO_OBSERVATIONS, zeros)
  judge({ name: 'right', request: authentic, accept: true }, { ...REFUSED, status: 200 }, NO_OBSERVATIONS, zeros)
  const unread = { outcomes: [{ status: 'refused', code: 'body_encoded' }] } as unknown as Observations
  judge({ name: 'unread', request: authentic }, { ...REFUSED, status: 415 }, { ...NO_OBSERVATIONS, ...unread }, zeros)
  judge({ name: 'listed', request: authentic, listed: [404] }, { ...REFUSED, status: 404 }, NO_OBSERVATIONS, zeros)
  expect(faultsOf(zeros)).toBe(0)
  expect(zeros).toMatchObject({ inputs: 4, verified: 3 })
})

test('a request is authentic with exactly one matching header, which may have spaces around its value', () => {
  const body = scan()
  const [type, header] = signed(body).headers
  const matching = header ?? { name: '', value: '' }
  expect(isAuthentic({ body, headers: [matching] }, [SECRET])).toBe(true)
  expect(isAuthentic({ body, headers: [{ ...matching, value: ` ${matching.value}\t` }] }, ['other', SECRET])).toBe(true)
  expect(isAuthentic({ body, headers: [matching, matching] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body: scan(), headers: [matching] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body, headers: type ? [type] : [] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body, headers: [matching] }, ['other'])).toBe(false)
})
