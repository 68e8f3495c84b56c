/** Stage 8: the table of responses. */
import { describe, expect, it, test } from 'vitest'
import { toResponse } from '../../../src/delivery/response.js'
import type { Outcome, QuarantinedCode, RefusedCode, UnavailableCode } from '../../../src/index.js'

const STATUSES = {
  processed: 200,
  accepted: 200,
  duplicate: 200,
  ignored: 200,
  quarantined: 200,
  busy: 503,
  unfinished: 503,
  unavailable: 503,
  failed: 500,
} satisfies Record<Exclude<Outcome['status'], 'refused'>, number>

const REFUSED = {
  method_not_allowed: 405,
  body_read_failed: 400,
  body_timeout: 408,
  body_too_large: 413,
  body_encoded: 415,
  body_already_parsed: 500,
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  secret_missing: 500,
} satisfies Record<RefusedCode, number>

const outcomes = [
  ...Object.entries(STATUSES).map(([status, http]) => ({ outcome: { status } as Outcome, name: status, http })),
  ...Object.entries(REFUSED).map(([code, http]) => ({
    outcome: { status: 'refused', code } as Outcome,
    name: code,
    http,
  })),
]

describe.each(outcomes)('$name', ({ outcome, name, http }) => {
  const response = toResponse(outcome)

  it(`gets a ${http} with at most 200 bytes of JSON that state the outcome`, () => {
    expect(response.status).toBe(http)
    expect(Buffer.byteLength(response.body)).toBeLessThanOrEqual(200)
    expect(JSON.parse(response.body)).toMatchObject({ status: outcome.status })
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(response.body)),
    })
  })

  it('asks GoValid for another attempt only if that can help', () => {
    expect(response.headers['retry-after']).toBe(http === 503 ? '60' : undefined)
  })

  it('contains a code only for the developer’s own mistakes', () => {
    const code = ['body_already_parsed', 'secret_missing'].includes(name) ? name : undefined
    expect(JSON.parse(response.body).code).toBe(code)
  })
})

test('success is exactly 200: no other 2xx and no redirect', () => {
  const statuses = outcomes.map(({ outcome }) => toResponse(outcome).status)
  expect(statuses.filter((status) => status > 200 && status < 400)).toEqual([])
})

test('the three refusals of a signature get the same response, byte for byte', () => {
  const codes = ['signature_missing', 'signature_malformed', 'signature_mismatch'] as const
  const responses = codes.map((code) => JSON.stringify(toResponse({ status: 'refused', code, hint: `about ${code}` })))
  expect(new Set(responses).size).toBe(1)
})

test('a 405 response names the allowed method', () => {
  expect(toResponse({ status: 'refused', code: 'method_not_allowed' }).headers['allow']).toBe('POST')
})

test('the connection closes if the rest of the request isn’t read', () => {
  const closing = outcomes.filter(({ outcome }) => toResponse(outcome).closes).map(({ name }) => name)
  expect(closing).toEqual(['body_read_failed', 'body_timeout', 'body_too_large'])
  for (const code of ['body_timeout', 'body_too_large'] as const) {
    expect(toResponse({ status: 'refused', code }).headers['connection']).toBe('close')
  }
})

test('trap: no response contains a part of the delivery, an error or a reason', () => {
  const secret = 'a secret text'
  const details = { idempotencyKey: secret, error: new Error(secret), hint: secret, event: { event: secret } }
  const codes: (QuarantinedCode | UnavailableCode)[] = ['stale', 'schema_refused', 'store_unavailable']
  for (const { outcome } of outcomes) {
    for (const code of codes) {
      const response = JSON.stringify(toResponse({ code, ...outcome, ...details } as unknown as Outcome))
      expect(response).not.toContain(secret)
      expect(response).not.toContain(code)
    }
  }
})
