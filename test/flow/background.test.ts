/** What goes on behind the answer when the quarantine, the store or the platform does not play along. */
import { describe, expect, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { iterableOf } from '../support/bodies.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

/** A quarantine that fails until it is mended. */
function failingQuarantine() {
  const state = { broken: true }
  const quarantine = memoryQuarantine(() => {
    if (state.broken) throw new Error('disk full')
  })
  return { state, quarantine }
}

describe('a handler that fails for good after the answer, with a quarantine that is down', () => {
  function open() {
    const { state, quarantine } = failingQuarantine()
    const scene = receiving({ quarantine })
    scene.receiver.on('qr.scanned', async () => {
      await pause(scene.clock, 10 * SECOND)
      throw new PermanentError('no such customer')
    })
    return { state, quarantine, ...scene }
  }

  test('is kept as soon as that is back; tries meanwhile are busy, one after it is a duplicate', async () => {
    const { state, quarantine, attempt, clock } = open()
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(2 * MINUTE)
    expect((await attempt()).outcome.status).toBe('busy')
    expect(quarantine.entries.size).toBe(0)
    state.broken = false
    await clock.advance(15 * SECOND)
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'permanent_error' }])
    expect((await attempt()).outcome.status).toBe('duplicate')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('can be worked again by hand once it is kept', async () => {
    const { state, quarantine, receiver, attempt, clock } = open()
    await attempt()
    await clock.advance(MINUTE)
    state.broken = false
    await clock.advance(15 * SECOND)
    const [entry] = quarantine.entries.values()
    const reprocessed = receiver.reprocess(entry as QuarantineEntry)
    await clock.advance(10 * SECOND)
    expect(await reprocessed).toMatchObject({ status: 'quarantined', code: 'permanent_error', attempt: 2 })
  })

  test('is released when that stays down: nothing is said to be done that is not kept', async () => {
    const { quarantine, attempt, clock } = open()
    await attempt()
    await clock.advance(3 * HOUR)
    expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
    expect((await attempt()).outcome.status).not.toBe('duplicate')
  })
})

test('a failing delivery whose keeping ahead fails after the answer is kept later, and taken back by its success', async () => {
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
  state.broken = false
  await clock.advance(15 * SECOND)
  expect([...quarantine.entries.values()]).toMatchObject([{ code: 'retry_pending' }])
  expect((await attempt()).outcome.status).toBe('processed')
  expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
})

describe('a delivery that is kept ahead', () => {
  /** One that is kept at the deadline and fails after it; `broken` says at which calls the quarantine is down. */
  function open(broken: readonly number[]) {
    let asked = 0
    const quarantine = memoryQuarantine(() => {
      if (broken.includes(++asked)) throw new Error('disk full')
    })
    const scene = receiving({ quarantine })
    scene.receiver.on('qr.scanned', async () => {
      await pause(scene.clock, 10 * SECOND)
      throw new Error('no database')
    })
    return { ...scene, quarantine, asked: () => asked }
  }

  test.each([
    ['once at the deadline and once with the error', [], 2],
    ['not again at the deadline, where the error follows', [1], 2],
    ['again with the error, which nobody else will tell', [2, 3], 4],
  ])('asks the quarantine %s', async (_, broken, count) => {
    const { clock, attempt, quarantine, asked } = open(broken)
    await clock.advance(10 * MINUTE)
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(MINUTE)
    expect([asked(), clock.pendingTimers()]).toEqual([count, 0])
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'retry_pending', error: expect.stringContaining('no database') },
    ])
  })

  test('is waited for by a close while the quarantine is asked again', async () => {
    const { clock, receiver, attempt, quarantine } = open([2])
    await clock.advance(10 * MINUTE)
    await attempt()
    await clock.advance(5 * SECOND)
    expect(quarantine.codes).toHaveLength(1)
    const kept = receiver.close().then(() => quarantine.codes.length)
    await clock.advance(5 * SECOND)
    expect(await kept).toBe(2)
  })

  test('while another receiver has it asks a quarantine that is down once: the next try asks again', async () => {
    const { clock, deliver, attempt, asked } = open([1, 2])
    await clock.advance(10 * MINUTE)
    void deliver()
    await clock.advance(SECOND)
    const before = clock.pendingTimers()
    expect((await attempt()).outcome.status).toBe('busy')
    expect([asked(), clock.pendingTimers()]).toEqual([1, before])
  })
})

test('store and quarantine both down on what must be the last try: 503', async () => {
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
  test('handlers go on behind the answer all the same, and a failure is told', async () => {
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

  test('every failure is a first one: 500 each time', async () => {
    const { receiver, attempts } = receiving({ store: false })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect((await attempts()).map(({ http, outcome }) => [http, outcome.attempt])).toEqual(Array(5).fill([500, 1]))
  })
})

test('a handler that first looks at its signal after it was given up finds it aborted', async () => {
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

test('a handler that looks at its signal twice sees one signal', async () => {
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

test('chunks that come after the body was given up are nobody’s', async () => {
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
