/** Using secrets: one, several, during rotation, and from a function. */
import { describe, expect, it, test } from 'vitest'
import { type BodyConsumer, type Secret, WebhookError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { scannedEvent } from '../support/payloads.js'
import { deliveryOf, HOUR, receiving, SECOND, SECRET, signatureOf } from '../support/receiving.js'

const signedWith = (secret: string) =>
  deliveryOf(scannedEvent(), {
    header: (name) => (name === 'x-govalid-signature' ? signatureOf(scannedEvent(), secret) : undefined),
  })

test('every configured secret is checked, not only the first', async () => {
  const { receiver } = receiving({ secret: ['one', 'two', 'three'] })
  for (const [index, secret] of ['one', 'two', 'three'].entries()) {
    expect(await receiver.receive(signedWith(secret))).toMatchObject({ status: 'ignored', secretIndex: index })
  }
  expect(await receiver.receive(signedWith('four'))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
})

test('a refusal without a hint has no hint field', async () => {
  const { deliver, reports } = receiving()
  expect(await deliver(scannedEvent(), { method: 'GET' })).toStrictEqual({
    status: 'refused',
    code: 'method_not_allowed',
  })
  expect(reports).toMatchObject([{ code: 'method_not_allowed', message: expect.stringMatching(/POST\.$/) }])
})

test('a quarantined delivery has the index of its secret too', async () => {
  const { receiver } = receiving({ secret: ['one', 'two'], maxAgeMs: 1, clock: fixedClock('2025-02-01T12:00:00Z') })
  expect(await receiver.receive(signedWith('two'))).toMatchObject({ status: 'quarantined', secretIndex: 1 })
})

test('a refusal with an error reports it, and without one the report has no error field', async () => {
  const { deliver, reports } = receiving()
  const error = new Error('the connection was closed')
  const body = {
    read(consumer: BodyConsumer) {
      consumer.fail(error)
      return () => {}
    },
  }
  expect(await deliver(scannedEvent(), { body, header: deliveryOf(scannedEvent()).header })).toMatchObject({
    code: 'body_read_failed',
  })
  await deliver(scannedEvent(), { method: 'GET' })
  expect(reports).toStrictEqual([
    { code: 'body_read_failed', message: expect.any(String), error },
    { code: 'method_not_allowed', message: expect.any(String) },
  ])
})

test('a request without a well-formed signature is refused before its body is read', async () => {
  const { deliver } = receiving()
  let reads = 0
  const body = {
    read() {
      reads++
      return () => {}
    },
  }
  for (const signature of [undefined, 'sha256=', `sha1=${'0'.repeat(64)}`]) {
    expect((await deliver(scannedEvent(), { body, header: () => signature })).status).toBe('refused')
  }
  expect(reads).toBe(0)
})

test('rotation accepts the old and the new secret, then only the new one', async () => {
  const during = receiving({ secret: ['new', 'old'] }).receiver
  expect(await during.receive(signedWith('old'))).toMatchObject({ secretIndex: 1 })
  expect(await during.receive(signedWith('new'))).toMatchObject({ secretIndex: 0 })
  const later = receiving({ secret: 'new' }).receiver
  expect(await later.receive(signedWith('old'))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
})

test('a secret that ends with a newline gets 401, and only the report names the reason (acceptance case 44)', async () => {
  const { attempt, reports } = receiving({ secret: `${SECRET}\n` })
  const { http, outcome } = await attempt()
  expect([http, outcome]).toMatchObject([
    401,
    { code: 'signature_mismatch', hint: expect.stringContaining('white space') },
  ])
  expect(reports).toMatchObject([{ code: 'signature_mismatch', message: expect.stringContaining('white space') }])
  expect(JSON.stringify(reports)).not.toContain(SECRET)
})

describe('a secret function', () => {
  it.each<[string, () => Secret | readonly Secret[] | Promise<Secret | readonly Secret[]>]>([
    ['one secret', () => SECRET],
    ['several secrets', () => ['other', SECRET]],
    ['a promise of a secret', async () => SECRET],
    ['bytes', () => new TextEncoder().encode(SECRET)],
  ])('that returns %s is called once, with the first delivery', async (_, load) => {
    let calls = 0
    const { clock, deliver } = receiving({
      secret: () => {
        calls++
        return load()
      },
    })
    expect(calls).toBe(0)
    expect((await deliver()).status).toBe('ignored')
    // Only a signature that doesn't match is a reason to call it again.
    await clock.advance(HOUR)
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
  ])('that %s gets 503 and is called again with the next delivery', async (_, fail) => {
    let calls = 0
    const { attempt, reports } = receiving({ secret: () => (++calls === 1 ? fail() : SECRET) })
    expect(await attempt()).toMatchObject({ http: 503, outcome: { status: 'unavailable', code: 'secret_unavailable' } })
    expect(await attempt()).toMatchObject({ http: 200 })
    const error = new Error('no secret manager')
    expect(reports).toEqual([{ code: 'secret_unavailable', message: expect.stringContaining('503'), error }])
  })

  test('that throws a WebhookError of this package gets 503, not the 500 of a misconfiguration', async () => {
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
  ])('that returns %s gets 500 with a report of the reason, and is called again', async (_, secret, message) => {
    let current = secret
    const { attempt, reports } = receiving({ secret: () => current as Secret })
    expect(await attempt()).toMatchObject({ http: 500, outcome: { status: 'refused', code: 'secret_missing' } })
    expect(reports).toMatchObject([{ code: 'secret_missing', message: expect.stringMatching(message) }])
    current = SECRET
    expect((await attempt()).http).toBe(200)
  })

  test('that takes longer than 1 s gets 503, and its late result is kept for the next delivery', async () => {
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

  test('that rejects after its time limit causes no unhandled rejection', async () => {
    const slow = deferred<string>()
    const { clock, attempt } = receiving({ secret: () => slow.promise })
    expect((await attempt()).http).toBe(503)
    slow.reject(new Error('no secret manager'))
    await clock.advance(SECOND)
  })

  test('is called once per delivery until its first success, because Workers may not share a promise between requests', async () => {
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

  test('is not called for a request without a readable body', async () => {
    const { deliver } = receiving({ secret: () => expect.unreachable() })
    expect(await deliver(scannedEvent(), { method: 'GET' })).toMatchObject({ code: 'method_not_allowed' })
    expect(await deliver(scannedEvent(), { body: { alreadyParsed: 'fix it' } })).toMatchObject({
      code: 'body_already_parsed',
    })
  })

  describe('after a rotation', () => {
    const MINUTE = 60 * SECOND
    const rotating = () => {
      const state = { current: SECRET as Secret | Promise<Secret>, calls: 0 }
      const setup = receiving({
        secret: () => {
          state.calls++
          return state.current as Secret
        },
      })
      const statusOf = async (secret: string) => (await setup.receiver.receive(signedWith(secret))).status
      return { ...setup, state, statusOf }
    }

    test('is called again by the first delivery that does not verify, which then verifies', async () => {
      const { state, statusOf, clock, reports } = rotating()
      expect(await statusOf(SECRET)).toBe('ignored')
      state.current = 'rotated'
      await clock.advance(MINUTE)
      expect(await statusOf('rotated')).toBe('ignored')
      expect([await statusOf(SECRET), state.calls, reports.length]).toEqual(['refused', 2, 1])
    })

    test('is not called by valid deliveries, and at most once a minute by forged ones', async () => {
      const { state, statusOf, clock } = rotating()
      await statusOf(SECRET)
      for (let second = 0; second < 600; second++) {
        await clock.advance(SECOND)
        expect(await statusOf(SECRET)).toBe('ignored')
        expect(await Promise.all([statusOf('a guess'), statusOf('a guess')])).toEqual(['refused', 'refused'])
      }
      expect(state.calls).toBeLessThanOrEqual(11)
    })

    test('is called again 55 s after its last call, and for at most 1 s', async () => {
      const { state, statusOf, clock, attempt } = rotating()
      await statusOf(SECRET)
      await clock.advance(55 * SECOND - 1)
      await statusOf('a guess')
      expect(state.calls).toBe(1)
      state.current = new Promise<Secret>(() => {})
      await clock.advance(1)
      const forged = { header: signedWith('a guess').header }
      expect(await attempt(scannedEvent(), forged)).toMatchObject({ http: 401, ms: SECOND })
      expect(state.calls).toBe(2)
    })

    test('heals by the first retry, even if a forged delivery came just before the rotation', async () => {
      const { state, statusOf, clock } = rotating()
      await statusOf(SECRET)
      await clock.advance(MINUTE)
      await statusOf('a guess')
      state.current = 'rotated'
      expect(await statusOf('rotated')).toBe('refused')
      await clock.advance(MINUTE)
      expect(await statusOf('rotated')).toBe('ignored')
    })

    test('that fails or returns nothing leaves the receiver its secrets, and reports', async () => {
      const { state, statusOf, clock, reports } = rotating()
      await statusOf(SECRET)
      const failure = Promise.reject(new Error('no secret manager'))
      failure.catch(() => {})
      for (const broken of [failure, undefined]) {
        state.current = broken
        await clock.advance(MINUTE)
        expect(await statusOf('a guess')).toBe('refused')
        expect(await statusOf(SECRET)).toBe('ignored')
      }
      const codes = ['secret_unavailable', 'signature_mismatch', 'secret_missing', 'signature_mismatch']
      expect(reports.map(({ code }) => code)).toEqual(codes)
      expect(reports[0]?.message).toContain('keeps the secrets')
    })

    test('is not called for a signature that is missing or malformed', async () => {
      const { state, receiver, clock, statusOf } = rotating()
      await statusOf(SECRET)
      await clock.advance(MINUTE)
      for (const header of [undefined, 'sha256=00', '']) {
        await receiver.receive(deliveryOf(scannedEvent(), { header: () => header }))
      }
      expect(state.calls).toBe(1)
    })
  })
})
