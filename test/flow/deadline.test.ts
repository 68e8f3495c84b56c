/** The handler and its time limits: part I of the acceptance list. Every response leaves in time, and no attempt is wasted. */
import { describe, expect, it, test } from 'vitest'
import type { Delivery } from '../../src/index.js'
import { memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { pushedBody } from '../support/bodies.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

describe('a handler that finishes in time', () => {
  it.each([0, 1000, 4400, 4490])('is processed with 200 after %i ms (acceptance case 176)', async (ms) => {
    const { clock, receiver, attempt } = receiving()
    receiver.on('qr.scanned', () => pause(clock, ms))
    expect(await attempt()).toMatchObject({
      http: 200,
      outcome: { status: 'processed', attempt: 1, attemptsLeft: 4 },
      ms,
    })
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('a handler that is still running at the deadline', () => {
  it.each([4600, 30_000, 5 * MINUTE])(
    'gets 503 at the deadline, completes after %i ms, and later attempts are duplicates (acceptance case 177)',
    async (ms) => {
      const done: number[] = []
      const { clock, receiver, attempt, reports } = receiving()
      const started = clock.now()
      receiver.on('qr.scanned', async () => {
        await pause(clock, ms)
        done.push(clock.now() - started)
      })
      const first = await attempt()
      expect(first).toMatchObject({ http: 503, outcome: { status: 'unfinished', attempt: 1, attemptsLeft: 4 } })
      expect(first.ms).toBeGreaterThanOrEqual(4400)
      expect(first.ms).toBeLessThanOrEqual(4600)
      await clock.advance(ms)
      expect(done).toEqual([ms])
      expect(await attempt()).toMatchObject({ http: 200, outcome: { status: 'duplicate' } })
      expect([reports, clock.pendingTimers()]).toEqual([[], 0])
    },
  )

  test('makes attempts busy while it runs and duplicates afterwards (acceptance cases 144 and 177)', async () => {
    let calls = 0
    const { clock, receiver, attempts } = receiving()
    receiver.on('qr.scanned', async () => {
      calls++
      await pause(clock, 90 * SECOND)
    })
    const made = await attempts()
    expect(made.map(({ outcome, http }) => [outcome.status, http])).toEqual([
      ['unfinished', 503],
      ['busy', 503],
      ['duplicate', 200],
    ])
    expect(calls).toBe(1)
  })

  test('that fails after the response is reported, and the next attempt runs it again (acceptance case 177)', async () => {
    let calls = 0
    const { clock, receiver, attempts, reports } = receiving()
    receiver.on('qr.scanned', async () => {
      await pause(clock, calls++ === 0 ? 10 * SECOND : 0)
      if (calls === 1) throw new Error('no database')
    })
    const made = await attempts()
    expect(made.map(({ outcome }) => outcome.status)).toEqual(['unfinished', 'processed'])
    expect(made[1]?.outcome).toMatchObject({ attempt: 2 })
    expect(reports).toMatchObject([
      {
        code: 'handler_failed',
        message: expect.stringContaining('after the response'),
        error: new Error('no database'),
      },
    ])
  })

  test('has its lease renewed at the deadline and every 10 s until it ends', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = faultyStore(memoryStore({ clock }))
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => pause(clock, 35 * SECOND))
    await attempt()
    expect(store.count('renew')).toBe(1)
    await clock.advance(30 * SECOND)
    expect(store.count('renew')).toBe(4)
    await clock.advance(HOUR)
    expect(store.count('renew')).toBe(4)
    expect(store.calls.at(-1)).toBe('complete')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('has no lease renewed on a platform that freezes after the response', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = faultyStore(memoryStore({ clock }))
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => pause(clock, 20 * SECOND))
    await attempt(scannedEvent(), { freezesAfterResponse: true })
    await clock.advance(30 * SECOND)
    expect(store.calls).toEqual(['claim', 'complete'])
  })
})

describe('a handler that never settles (acceptance case 177b)', () => {
  test('is aborted at handlerTimeoutMs, and its attempt has failed', async () => {
    const signals: AbortSignal[] = []
    const { clock, receiver, attempt, reports } = receiving({ handlerTimeoutMs: 20 * SECOND })
    receiver.on('qr.scanned', (_, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    await attempt()
    await clock.advance(15 * SECOND)
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(SECOND)
    expect(signals[0]?.aborted).toBe(true)
    expect(signals[0]?.reason).toMatchObject({ code: 'handler_timeout' })
    expect(reports).toMatchObject([{ code: 'handler_failed', error: { code: 'handler_timeout' } }])
    expect(clock.pendingTimers()).toBe(0)
    expect((await attempt()).outcome).toMatchObject({ status: 'unfinished', attempt: 2 })
  })

  test('gets 500 at handlerTimeoutMs if that is before the deadline', async () => {
    const { clock, receiver, attempt } = receiving({ handlerTimeoutMs: 1000 })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    expect(await attempt()).toMatchObject({
      http: 500,
      ms: 1000,
      outcome: { status: 'failed', error: { code: 'handler_timeout' } },
    })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('gets 500 if handlerTimeoutMs equals the deadline', async () => {
    const { receiver, attempt } = receiving({ handlerTimeoutMs: 4500 })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    expect(await attempt()).toMatchObject({
      http: 500,
      ms: 4500,
      outcome: {
        status: 'failed',
        error: { code: 'handler_timeout', message: expect.stringContaining('within handlerTimeoutMs') },
      },
    })
  })

  test.each([
    ['with', memoryQuarantine()],
    ['without', undefined],
  ])('never disables the webhook, %s a quarantine', async (_, quarantine) => {
    const { clock, receiver, attempts, reported } = receiving({ ...(quarantine && { quarantine }) })
    let calls = 0
    receiver.on('qr.scanned', () => {
      calls++
      return new Promise(() => {})
    })
    const made = await attempts()
    expect(made.at(-1)).toMatchObject({ http: 200, outcome: { status: 'quarantined', code: 'attempts_exhausted' } })
    expect(made.slice(0, -1).map(({ http }) => http)).toEqual([503, 503, 503, 503])
    expect(Math.max(...made.map(({ ms }) => ms))).toBeLessThanOrEqual(4600)
    await clock.advance(HOUR)
    expect(clock.pendingTimers()).toBe(0)
    // The event is reported as dropped with the response, and again with the reason once the last run has timed out.
    expect(reported('event_dropped')).toBe(quarantine ? 0 : 2)
    // The attempts after 1 and 6 minutes were busy, because the first run has 15 minutes.
    expect(calls).toBe(3)
  })
})

describe('a response leaves within 4.6 s (acceptance case 182)', () => {
  const slowBody = (clock: { setTimer(ms: number, fn: () => void): unknown }, bytes: Uint8Array): Delivery['body'] =>
    pushedBody((consumer) => {
      clock.setTimer(2400, () => {
        consumer.chunk(bytes)
        consumer.end()
      })
    })

  it.each([
    ['never ends', () => new Promise(() => {})],
    ['fails', () => Promise.reject(new Error('no'))],
    ['succeeds at once', () => {}],
  ])('with a slow body, secret and claim and a handler that %s', async (_, handler) => {
    const clock = fixedClock(EVENT_TIME)
    const inner = memoryStore({ clock })
    const store = {
      ...inner,
      claim: (request: Parameters<typeof inner.claim>[0]) => pause(clock, 900).then(() => inner.claim(request)),
    }
    const secret = () => pause(clock, 900).then(() => 'your_webhook_secret')
    const { receiver, attempt } = receiving({ clock, store, secret, quarantine: () => new Promise(() => {}) })
    receiver.on('qr.scanned', handler)
    const bytes = new TextEncoder().encode(JSON.stringify(scannedEvent()))
    const { ms, http } = await attempt(bytes, { body: slowBody(clock, bytes) })
    expect(ms).toBeLessThanOrEqual(4600)
    expect([200, 500, 503]).toContain(http)
  })

  test('as a 408 at bodyDeadlineMs if the body never arrives', async () => {
    const { clock, receiver, attempt } = receiving()
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt(scannedEvent(), { body: pushedBody() })).toMatchObject({ http: 408, ms: 2500 })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('for a last attempt without a quarantine, whose handlers may use all of that time', async () => {
    const { clock, receiver, attempts, reports } = receiving()
    receiver.on('qr.scanned', async (_, { attempt }) => {
      if (attempt < 5) throw new Error('not yet')
      await pause(clock, 4400)
    })
    const made = await attempts()
    expect(made.at(-1)).toMatchObject({ http: 200, outcome: { status: 'processed', attempt: 5 }, ms: 4400 })
    expect(reports.map(({ code }) => code)).toEqual(Array(4).fill('handler_failed'))
  })

  test('for a last attempt, which reserves at most a quarter of a short deadline for the quarantine', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempts } = receiving({ quarantine, deadlineMs: 1000 })
    receiver.on('qr.scanned', async (_, { attempt }) => {
      if (attempt < 5) throw new Error('not yet')
      await pause(clock, 740)
    })
    expect((await attempts()).at(-1)).toMatchObject({ outcome: { status: 'processed', attempt: 5 }, ms: 740 })
    const slower = receiving({ quarantine, deadlineMs: 1000 })
    slower.receiver.on('qr.scanned', async (_, { attempt }) => {
      if (attempt < 5) throw new Error('not yet')
      await pause(slower.clock, 760)
    })
    expect((await slower.attempts()).at(-1)).toMatchObject({ outcome: { status: 'quarantined' }, ms: 750 })
  })

  test('as a 503 if both the handlers and the quarantine hang on the last attempt', async () => {
    const quarantine = Object.assign(() => new Promise<void>(() => {}), {})
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    await clock.advance(46 * MINUTE)
    const { ms, outcome, http } = await attempt()
    expect(outcome).toMatchObject({ status: 'unavailable', code: 'quarantine_unavailable' })
    expect([http, ms]).toEqual([503, 4500])
  })
})

test('a claim on a platform that freezes after the response expires with its lease (acceptance case 183)', async () => {
  const { clock, receiver, attempt } = receiving()
  let calls = 0
  receiver.on('qr.scanned', () => {
    calls++
    // The platform froze the first run after its response, so that run never ends.
    return calls === 1 ? new Promise(() => {}) : undefined
  })
  expect((await attempt(scannedEvent(), { freezesAfterResponse: true })).http).toBe(503)
  await clock.advance(MINUTE)
  expect((await attempt(scannedEvent(), { freezesAfterResponse: true })).outcome).toMatchObject({
    status: 'processed',
    attempt: 2,
  })
})
