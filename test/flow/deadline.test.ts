/** The handler and its time budget: acceptance list, part I. Every answer leaves in time, and no try is wasted. */
import { describe, expect, it, test } from 'vitest'
import type { Delivery } from '../../src/index.js'
import { memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { pushedBody } from '../support/bodies.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

describe('a handler that is done in time', () => {
  it.each([0, 1000, 4400, 4490])('176: after %i ms: processed, 200', async (ms) => {
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

describe('a handler that is not', () => {
  it.each([4600, 30_000, 5 * MINUTE])(
    '177: after %i ms: 503 at the deadline; it completes behind, and later tries are duplicates',
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

  test('144, 177: a try while it still runs is busy; one after it a duplicate', async () => {
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

  test('177: that fails after the answer: trap, it is told, and the next try works it again', async () => {
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

  test('its lease is renewed at once and every 10 s, and not after it has ended', async () => {
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

  test('its lease is not renewed behind the answer where the platform may freeze with it', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = faultyStore(memoryStore({ clock }))
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => pause(clock, 20 * SECOND))
    await attempt(scannedEvent(), { freezesAfterResponse: true })
    await clock.advance(30 * SECOND)
    expect(store.calls).toEqual(['claim', 'complete'])
  })
})

describe('177b: a handler that never settles', () => {
  test('is told by its signal at handlerTimeoutMs, and its try has failed', async () => {
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

  test('with a time-out shorter than the deadline is answered then: failed, 500', async () => {
    const { clock, receiver, attempt } = receiving({ handlerTimeoutMs: 1000 })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    expect(await attempt()).toMatchObject({
      http: 500,
      ms: 1000,
      outcome: { status: 'failed', error: { code: 'handler_timeout' } },
    })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('with a time-out that is the deadline has failed by then: there is no time left to go on in', async () => {
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
    // Dropped at the answer, and again when the last run was given up: with the reason that was known by then.
    expect(reported('event_dropped')).toBe(quarantine ? 0 : 2)
    // At 1 and 6 minutes the first run is still within its 15: those tries were busy.
    expect(calls).toBe(3)
  })
})

describe('182: whatever is slow, an answer leaves by 4.6 s', () => {
  const slowBody = (clock: { setTimer(ms: number, fn: () => void): unknown }, bytes: Uint8Array): Delivery['body'] =>
    pushedBody((consumer) => {
      clock.setTimer(2400, () => {
        consumer.chunk(bytes)
        consumer.end()
      })
    })

  it.each([
    ['a handler that never ends', () => new Promise(() => {})],
    ['a handler that fails', () => Promise.reject(new Error('no'))],
    ['a handler that is quick', () => {}],
  ])('a slow body, a slow secret, a slow claim, and %s', async (_, handler) => {
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

  test('a body that never comes: 408 at its own deadline', async () => {
    const { clock, receiver, attempt } = receiving()
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt(scannedEvent(), { body: pushedBody() })).toMatchObject({ http: 408, ms: 2500 })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('a last try without a quarantine has the whole time: nothing has to be kept free for one', async () => {
    const { clock, receiver, attempts, reports } = receiving()
    receiver.on('qr.scanned', async (_, { attempt }) => {
      if (attempt < 5) throw new Error('not yet')
      await pause(clock, 4400)
    })
    const made = await attempts()
    expect(made.at(-1)).toMatchObject({ http: 200, outcome: { status: 'processed', attempt: 5 }, ms: 4400 })
    expect(reports.map(({ code }) => code)).toEqual(Array(4).fill('handler_failed'))
  })

  test('a last try with a short deadline keeps no more than a quarter of it free', async () => {
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

  test('a last try whose handlers and quarantine both hang: 503', async () => {
    const quarantine = Object.assign(() => new Promise<void>(() => {}), {})
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    await clock.advance(46 * MINUTE)
    const { ms, outcome, http } = await attempt()
    expect(outcome).toMatchObject({ status: 'unavailable', code: 'quarantine_unavailable' })
    expect([http, ms]).toEqual([503, 4500])
  })
})

test('183: where nothing keeps the platform alive, a record is not claimed longer than its lease', async () => {
  const { clock, receiver, attempt } = receiving()
  let calls = 0
  receiver.on('qr.scanned', () => {
    calls++
    // The platform froze the code with its answer: it never comes back.
    return calls === 1 ? new Promise(() => {}) : undefined
  })
  expect((await attempt(scannedEvent(), { freezesAfterResponse: true })).http).toBe(503)
  await clock.advance(MINUTE)
  expect((await attempt(scannedEvent(), { freezesAfterResponse: true })).outcome).toMatchObject({
    status: 'processed',
    attempt: 2,
  })
})
