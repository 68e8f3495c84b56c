/** Work after the response while the quarantine, the store or the platform fails. */
import { describe, expect, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { iterableOf } from '../support/bodies.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

/** A quarantine that fails until `state.isBroken` is cleared. */
function failingQuarantine() {
  const state = { isBroken: true }
  const quarantine = memoryQuarantine(() => {
    if (state.isBroken) throw new Error('disk full')
  })
  return { state, quarantine }
}

describe('a handler that throws a PermanentError after the response, while the quarantine is down', () => {
  function open() {
    const { state, quarantine } = failingQuarantine()
    const scene = receiving({ quarantine })
    scene.receiver.on('qr.scanned', async () => {
      await pause(scene.clock, 10 * SECOND)
      throw new PermanentError('no such customer')
    })
    return { state, quarantine, ...scene }
  }

  test('is quarantined once the quarantine recovers; attempts before that are busy, and attempts after it duplicates', async () => {
    const { state, quarantine, attempt, clock } = open()
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(2 * MINUTE)
    expect((await attempt()).outcome.status).toBe('busy')
    expect(quarantine.entries.size).toBe(0)
    state.isBroken = false
    await clock.advance(15 * SECOND)
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'permanent_error' }])
    expect((await attempt()).outcome.status).toBe('duplicate')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('can be reprocessed once it is quarantined', async () => {
    const { state, quarantine, receiver, attempt, clock } = open()
    await attempt()
    await clock.advance(MINUTE)
    state.isBroken = false
    await clock.advance(15 * SECOND)
    const [entry] = quarantine.entries.values()
    const reprocessed = receiver.reprocess(entry as QuarantineEntry)
    await clock.advance(10 * SECOND)
    expect(await reprocessed).toMatchObject({ status: 'quarantined', code: 'permanent_error', attempt: 2 })
  })

  test('is released if the quarantine stays down, so that a retry is not called a duplicate', async () => {
    const { quarantine, attempt, clock } = open()
    await attempt()
    await clock.advance(3 * HOUR)
    expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
    expect((await attempt()).outcome.status).not.toBe('duplicate')
  })
})

test('a delivery that fails after the response is quarantined early once the quarantine recovers, and discarded by a success', async () => {
  const { state, quarantine } = failingQuarantine()
  const { receiver, attempt, clock } = receiving({ quarantine })
  let calls = 0
  receiver.on('qr.scanned', async () => {
    if (++calls > 1) return
    await pause(clock, 10 * SECOND)
    throw new Error('no database')
  })
  await clock.advance(10 * MINUTE)
  await attempt()
  await clock.advance(30 * SECOND)
  state.isBroken = false
  await clock.advance(15 * SECOND)
  expect([...quarantine.entries.values()]).toMatchObject([{ code: 'retry_pending' }])
  expect((await attempt()).outcome.status).toBe('processed')
  expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
})

describe('a delivery that is quarantined early', () => {
  /** A delivery that is unfinished at the deadline and fails after it. `failingCalls` lists the calls at which the quarantine fails. */
  function open(failingCalls: readonly number[]) {
    let calls = 0
    const quarantine = memoryQuarantine(() => {
      if (failingCalls.includes(++calls)) throw new Error('disk full')
    })
    const scene = receiving({ quarantine })
    scene.receiver.on('qr.scanned', async () => {
      await pause(scene.clock, 10 * SECOND)
      throw new Error('no database')
    })
    return { ...scene, quarantine, calls: () => calls }
  }

  test.each([
    ['is written at the deadline and with the error', [], 2],
    ['is not written again when the write at the deadline fails, because the error follows', [1], 2],
    ['is written again until the write with the error succeeds', [2, 3], 4],
  ])('%s', async (_, failingCalls, count) => {
    const { clock, attempt, quarantine, calls } = open(failingCalls)
    await clock.advance(10 * MINUTE)
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(MINUTE)
    expect([calls(), clock.pendingTimers()]).toEqual([count, 0])
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'retry_pending', error: expect.stringContaining('no database') },
    ])
  })

  test('lets close wait while the quarantine is retried', async () => {
    const { clock, receiver, attempt, quarantine } = open([2])
    await clock.advance(10 * MINUTE)
    await attempt()
    await clock.advance(5 * SECOND)
    expect(quarantine.codes).toHaveLength(1)
    const kept = receiver.close().then(() => quarantine.codes.length)
    await clock.advance(5 * SECOND)
    expect(await kept).toBe(2)
  })

  test('is written once per attempt while another run has the delivery', async () => {
    const { clock, deliver, attempt, calls } = open([1, 2])
    await clock.advance(10 * MINUTE)
    void deliver()
    await clock.advance(SECOND)
    const before = clock.pendingTimers()
    expect((await attempt()).outcome.status).toBe('busy')
    expect([calls(), clock.pendingTimers()]).toEqual([1, before])
  })
})

test('a last attempt gets 503 while both the store and the quarantine are down', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  store.fail('claim', 'rejects')
  const { receiver, attempt } = receiving({
    clock,
    store,
    quarantine: () => Promise.reject(new Error('disk full')),
  })
  receiver.on('qr.scanned', () => expect.unreachable())
  await clock.advance(50 * MINUTE)
  expect(await attempt()).toMatchObject({
    http: 503,
    outcome: { status: 'unavailable', code: 'quarantine_unavailable' },
  })
})

describe('without a store', () => {
  test('handlers keep running after the response, and their failure is reported', async () => {
    const { receiver, attempt, reports, clock } = receiving({ store: false })
    receiver.on('qr.scanned', async () => {
      await pause(clock, 30 * SECOND)
      throw new Error('no database')
    })
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(30 * SECOND)
    expect(reports).toMatchObject([{ code: 'handler_failed', error: new Error('no database') }])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('every failure is a first attempt and gets 500', async () => {
    const { receiver, attempts } = receiving({ store: false })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect((await attempts()).map(({ http, outcome }) => [http, outcome.attempt])).toEqual(Array(5).fill([500, 1]))
  })
})

test('a handler that first reads its signal after its timeout finds it aborted', async () => {
  const seen: unknown[] = []
  const { receiver, attempt, clock } = receiving({ handlerTimeoutMs: 10 * SECOND })
  receiver.on('qr.scanned', async (_, context) => {
    await pause(clock, 20 * SECOND)
    seen.push(context.signal.aborted, context.signal.reason)
  })
  await attempt()
  await clock.advance(20 * SECOND)
  expect(seen).toMatchObject([true, { code: 'handler_timeout' }])
})

test('a handler that reads its signal twice gets the same signal', async () => {
  const seen: AbortSignal[] = []
  const { receiver, attempt, clock } = receiving({ handlerTimeoutMs: 10 * SECOND })
  receiver.on('qr.scanned', (_, context) => {
    seen.push(context.signal, context.signal)
    return new Promise(() => {})
  })
  await attempt()
  await clock.advance(10 * SECOND)
  expect(seen.map(({ aborted }) => aborted)).toEqual([true, true])
})

test('chunks that arrive after the body timeout are ignored', async () => {
  const bytes = new TextEncoder().encode(JSON.stringify(scannedEvent()))
  const { receiver, attempt, clock } = receiving()
  receiver.on('*', () => expect.unreachable())
  const slow = async function* () {
    await pause(clock, 3 * SECOND)
    yield* iterableOf([bytes])
  }
  expect(await attempt(bytes, { body: slow() })).toMatchObject({ http: 408 })
  await clock.advance(5 * SECOND)
  expect(clock.pendingTimers()).toBe(0)
})
