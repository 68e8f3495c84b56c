/** Secrets in use: one, several, rotated, and given by a function. */
import { describe, expect, it, test } from 'vitest'
import { type Secret, WebhookError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { scannedEvent } from '../support/payloads.js'
import { deliveryOf, receiving, SECOND, SECRET, signatureOf } from '../support/receiving.js'

const signedWith = (secret: string) =>
  deliveryOf(scannedEvent(), {
    header: (name) => (name === 'x-govalid-signature' ? signatureOf(scannedEvent(), secret) : undefined),
  })

test('trap: every configured secret is tried, not only the first', async () => {
  const { receiver } = receiving({ secret: ['one', 'two', 'three'] })
  for (const [index, secret] of ['one', 'two', 'three'].entries()) {
    expect(await receiver.receive(signedWith(secret))).toMatchObject({ status: 'ignored', secretIndex: index })
  }
  expect(await receiver.receive(signedWith('four'))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
})

test('a refusal without a hint says nothing in its place', async () => {
  const { deliver, reports } = receiving()
  expect(await deliver(scannedEvent(), { method: 'GET' })).toStrictEqual({
    status: 'refused',
    code: 'method_not_allowed',
  })
  expect(reports).toMatchObject([{ code: 'method_not_allowed', message: expect.stringMatching(/POST\.$/) }])
})

test('a quarantined delivery names its secret too', async () => {
  const { receiver } = receiving({ secret: ['one', 'two'], maxAgeMs: 1, clock: fixedClock('2025-02-01T12:00:00Z') })
  expect(await receiver.receive(signedWith('two'))).toMatchObject({ status: 'quarantined', secretIndex: 1 })
})

test('rotation: old and new side by side, then the new alone', async () => {
  const during = receiving({ secret: ['new', 'old'] }).receiver
  expect(await during.receive(signedWith('old'))).toMatchObject({ secretIndex: 1 })
  expect(await during.receive(signedWith('new'))).toMatchObject({ secretIndex: 0 })
  const later = receiving({ secret: 'new' }).receiver
  expect(await later.receive(signedWith('old'))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
})

test('44: a secret with a newline at its end: 401, and the report says so, not the answer', async () => {
  const { attempt, reports } = receiving({ secret: `${SECRET}\n` })
  const { http, outcome } = await attempt()
  expect([http, outcome]).toMatchObject([
    401,
    { code: 'signature_mismatch', hint: expect.stringContaining('white space') },
  ])
  expect(reports).toMatchObject([{ code: 'signature_mismatch', message: expect.stringContaining('white space') }])
  expect(JSON.stringify(reports)).not.toContain(SECRET)
})

describe('a function', () => {
  it.each<[string, () => Secret | readonly Secret[] | Promise<Secret | readonly Secret[]>]>([
    ['one secret', () => SECRET],
    ['several', () => ['other', SECRET]],
    ['a promise of one', async () => SECRET],
    ['bytes', () => new TextEncoder().encode(SECRET)],
  ])('that gives %s is called once, with the first delivery', async (_, give) => {
    let calls = 0
    const { deliver } = receiving({
      secret: () => {
        calls++
        return give()
      },
    })
    expect(calls).toBe(0)
    expect((await deliver()).status).toBe('ignored')
    expect((await deliver()).status).toBe('ignored')
    expect(calls).toBe(1)
  })

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('no secret manager')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no secret manager'))],
  ])('that %s: 503, and it is called again with the next delivery', async (_, fail) => {
    let calls = 0
    const { attempt, reports } = receiving({ secret: () => (++calls === 1 ? fail() : SECRET) })
    expect(await attempt()).toMatchObject({ http: 503, outcome: { status: 'unavailable', code: 'secret_unavailable' } })
    expect(await attempt()).toMatchObject({ http: 200 })
    const error = new Error('no secret manager')
    expect(reports).toEqual([{ code: 'secret_unavailable', message: expect.stringContaining('503'), error }])
  })

  test('that fails with an error of this package has failed all the same: 503, not what a misused secret gets', async () => {
    const error = new WebhookError('store_unavailable', 'no secret manager')
    const { attempt, reports } = receiving({ secret: () => Promise.reject(error) })
    expect(await attempt()).toMatchObject({ http: 503, outcome: { code: 'secret_unavailable' } })
    expect(reports).toMatchObject([{ code: 'secret_unavailable', error }])
  })

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /secret is undefined.*GOVALID_WEBHOOK_SECRET/],
    ['an empty text', '', /secret is blank/],
    ['a list with undefined in it', [SECRET, undefined], /secret\[1\] is undefined/],
    ['an empty list', [], /list of secrets is empty/],
    ['a number', 7, /is number/],
  ])('that gives %s: 500, by name, and called again', async (_, secret, message) => {
    let given = secret
    const { attempt, reports } = receiving({ secret: () => given as Secret })
    expect(await attempt()).toMatchObject({ http: 500, outcome: { status: 'refused', code: 'secret_missing' } })
    expect(reports).toMatchObject([{ code: 'secret_missing', message: expect.stringMatching(message) }])
    given = SECRET
    expect((await attempt()).http).toBe(200)
  })

  test('that does not answer within a second: 503; what it gives later is there for the next delivery', async () => {
    const slow = deferred<string>()
    let calls = 0
    const { clock, attempt } = receiving({
      secret: () => {
        calls++
        return slow.promise
      },
    })
    const late = { code: 'secret_unavailable', error: { message: expect.stringContaining('in time') } }
    expect(await attempt()).toMatchObject({ http: 503, ms: SECOND, outcome: late })
    slow.resolve(SECRET)
    await clock.advance(0)
    expect(await attempt()).toMatchObject({ http: 200, ms: 0 })
    expect(calls).toBe(1)
  })

  test('that rejects after its second leaves no rejection behind', async () => {
    const slow = deferred<string>()
    const { clock, attempt } = receiving({ secret: () => slow.promise })
    expect((await attempt()).http).toBe(503)
    slow.reject(new Error('no secret manager'))
    await clock.advance(SECOND)
  })

  test('is called by each delivery that comes before its first success: platforms may not share a promise between requests', async () => {
    let calls = 0
    const slow = deferred<string>()
    const { deliver } = receiving({
      secret: () => {
        calls++
        return slow.promise
      },
    })
    const both = [deliver(), deliver()]
    await new Promise((resolve) => setImmediate(resolve))
    slow.resolve(SECRET)
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual(['ignored', 'ignored'])
    expect(calls).toBe(2)
  })

  test('is not called for what has no readable body', async () => {
    const { deliver } = receiving({ secret: () => expect.unreachable() })
    expect(await deliver(scannedEvent(), { method: 'GET' })).toMatchObject({ code: 'method_not_allowed' })
    expect(await deliver(scannedEvent(), { body: { alreadyParsed: 'fix it' } })).toMatchObject({
      code: 'body_already_parsed',
    })
  })
})
