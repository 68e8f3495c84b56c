/** The judge of `npm run proof:hostile` counts each thing that must never happen, and nothing else. */
import { expect, test } from 'vitest'
import { scan, signed, withSignature } from '../../acceptance/deliveries.js'
import type { HandledCall, Observations } from '../../acceptance/observations.js'
import type { Reply } from '../../acceptance/tcp.js'
import { SECRET } from '../../acceptance/variants.js'
import { isAuthentic, judge } from '../../proof/hostile/judge.js'
import { type Fault, faultsOf, noInputs } from '../../proof/zeros.js'

const NOTHING_SEEN: Observations = {
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
const ANSWERED: Reply = { status: 401, headers: {}, body: '{"status":"refused"}', tookMs: 3 }
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
  ['unhandled', {}, { faults: ['Error: nobody caught it'] }, {}],
])('%s: %o %o', (fault, reply, seen, { authentic: isRight, ...known }) => {
  const zeros = noInputs()
  const input = { name: 'an input', request: isRight ? authentic : forged, ...known }
  judge(input, { ...ANSWERED, ...reply }, { ...NOTHING_SEEN, ...seen }, zeros)
  expect(zeros).toMatchObject({ inputs: 1, [fault]: 1 })
  expect(faultsOf(zeros)).toBe(1)
  expect(zeros.examples).toHaveLength(1)
})

test('what is as it should be is counted as an input alone', () => {
  const zeros = noInputs()
  judge({ name: 'forged', request: forged }, ANSWERED, NOTHING_SEEN, zeros)
  judge({ name: 'right', request: authentic, accept: true }, { ...ANSWERED, status: 200 }, NOTHING_SEEN, zeros)
  const unread = { outcomes: [{ status: 'refused', code: 'body_encoded' }] } as unknown as Observations
  judge({ name: 'unread', request: authentic }, { ...ANSWERED, status: 415 }, { ...NOTHING_SEEN, ...unread }, zeros)
  judge({ name: 'listed', request: authentic, listed: [404] }, { ...ANSWERED, status: 404 }, NOTHING_SEEN, zeros)
  expect(faultsOf(zeros)).toBe(0)
  expect(zeros).toMatchObject({ inputs: 4, verified: 3 })
})

test('a request is authentic with one right header for its very bytes, and blanks around it', () => {
  const body = scan()
  const [type, header] = signed(body).headers
  const given = header ?? { name: '', value: '' }
  expect(isAuthentic({ body, headers: [given] }, [SECRET])).toBe(true)
  expect(isAuthentic({ body, headers: [{ ...given, value: ` ${given.value}\t` }] }, ['other', SECRET])).toBe(true)
  expect(isAuthentic({ body, headers: [given, given] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body: scan(), headers: [given] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body, headers: type ? [type] : [] }, [SECRET])).toBe(false)
  expect(isAuthentic({ body, headers: [given] }, ['other'])).toBe(false)
})
