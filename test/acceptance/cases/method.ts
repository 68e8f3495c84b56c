// Group D: methods, content types, and the properties of every response.
import { expect } from 'vitest'
import {
  broken,
  byFramework,
  byTransport,
  type Case,
  PROCESSED,
  refused,
  type Stage,
  type Step,
  UNAUTHENTIC,
  type Verdict,
} from '../case.js'
import { h, JSON_TYPE, mac, scan, signatureOf, signed, withSignature } from '../deliveries.js'
import type { Traits } from '../target.js'
import type { Reply } from '../tcp.js'

/** Returns the verdict for a method other than POST: refused by the SDK, or unknown to the framework's router. */
const otherMethod = ({ otherMethods: { by, status } }: Traits): Verdict =>
  by === 'sdk' ? refused('method_not_allowed') : byFramework(status)

/** Returns a correctly signed request with another method. */
function by(method: string): Step {
  return { request: signed(scan(), { method }), expected: otherMethod }
}

const CONTENT_TYPES = [
  undefined,
  '',
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/x+json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/octet-stream',
  'image/png',
]
const MALFORMED_TYPES = [
  ';;;',
  'json',
  '/',
  'application/',
  'a/b/c',
  'application/json; charset',
  '"',
  'application/json, text/plain',
]

function typed(types: readonly (string | undefined)[], isRight: boolean): readonly Step[] {
  return types.map((type) => {
    const body = scan()
    const signature = isRight ? signatureOf(body) : `sha256=${mac(body, 'another_secret')}`
    const headers = [...(type === undefined ? [] : [h('Content-Type', type)]), h('X-GoValid-Signature', signature)]
    return { request: { headers, body }, expected: isRight ? PROCESSED : UNAUTHENTIC }
  })
}

export const METHOD_CASES: readonly Case[] = [
  {
    number: '108',
    title: 'GET is refused with 405, or with 404 if only POST has a route',
    steps: () => [{ request: { method: 'GET', headers: [], framing: 'none' }, expected: otherMethod }],
  },
  {
    number: '109',
    title: 'HEAD gets the same response without a body',
    steps: () => [
      {
        request: { method: 'HEAD', headers: [], framing: 'none' },
        expected: otherMethod,
        check: (_seen, reply) => expect(reply.body).toBe(''),
      },
    ],
  },
  {
    number: '110',
    title: 'OPTIONS gets no CORS headers',
    steps: () => [
      {
        request: {
          method: 'OPTIONS',
          headers: [h('Origin', 'https://evil.example'), h('Access-Control-Request-Method', 'POST')],
          framing: 'none',
        },
        expected: ({ options }) => (options.by === 'sdk' ? refused('method_not_allowed') : byFramework(options.status)),
        check: (_seen, reply) =>
          expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]),
      },
    ],
  },
  {
    number: '111',
    title: 'PUT, PATCH and DELETE with a correct signature reach no handler',
    steps: () => ['PUT', 'PATCH', 'DELETE'].map(by),
  },
  {
    number: '112',
    title: 'a method override header does not turn GET into POST',
    steps: () =>
      ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((name) => ({
        request: signed(scan(), { method: 'GET', headers: [h(name, 'POST')] }),
        expected: otherMethod,
      })),
  },
  {
    number: '113',
    title: 'TRACE and unknown verbs reach no handler',
    steps: () => [
      // Next.js can't create a Request with TRACE and responds with 500.
      {
        request: signed(scan(), { method: 'TRACE' }),
        expected: { next: byFramework(500), others: broken(400, 404, 405, 501, 'closed') },
      },
      { request: signed(scan(), { method: 'FOO' }), expected: byTransport(400, 404, 405, 501) },
    ],
  },
  {
    number: '114',
    title: 'an authentic delivery is processed with every content type',
    steps: () => typed(CONTENT_TYPES, true),
  },
  {
    number: '115',
    title: 'an authentic delivery is processed with a malformed content type',
    steps: () => typed(MALFORMED_TYPES, true),
  },
  {
    number: '116',
    title: 'a wrong signature is refused with every content type',
    steps: () => typed([...CONTENT_TYPES, ...MALFORMED_TYPES], false),
  },
  {
    number: '117',
    title: 'responses are small constant JSON, and every refused signature gets the same bytes',
    async play(stage) {
      const replies = await refusals(stage)
      for (const reply of replies) {
        expect({ status: reply.status, headers: withoutDate(reply), body: reply.body }).toEqual({
          status: 401,
          headers: withoutDate(replies[0] as Reply),
          body: '{"status":"refused"}',
        })
      }
      const good = await stage.send(signed(scan()))
      expect(good.status).toBe(200)
      for (const { body, headers } of [good, replies[0] as Reply]) {
        expect(body.length).toBeLessThanOrEqual(200)
        expect(headers['content-type']).toBe('application/json')
        expect(headers).not.toHaveProperty('location')
        expect(JSON.parse(body)).toHaveProperty('status')
      }
    },
  },
]

function refusals({ send }: Stage): Promise<readonly Reply[]> {
  const body = scan()
  const values = [
    undefined,
    '',
    'x',
    'sha256=',
    `sha256=${'0'.repeat(64)}`,
    signatureOf(scan()),
    mac(body),
    'z'.repeat(8000),
  ]
  return Promise.all([
    ...values.map((value) => send(withSignature(body, value))),
    send(withSignature(Buffer.alloc(0), undefined)),
    send({ headers: [JSON_TYPE, h('X-GoValid-Signature', signatureOf(body, 'another')), h('Cookie', 'a=b')], body }),
  ])
}

function withoutDate({ headers }: Reply): object {
  const { date: _date, ...others } = headers
  return others
}
