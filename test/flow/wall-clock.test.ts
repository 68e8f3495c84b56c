/** The machine's clock is set while deliveries are in progress: no duration, limit or lease depends on it. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryStore, PermanentError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, HOUR, MINUTE, receiving, SECOND } from '../support/receiving.js'
import { type SteppedClock, steppedClock } from '../support/stepped-clock.js'

/** An event without a timestamp has no age, so no clock can make it stale. */
const UNDATED = scannedEvent({ timestamp: undefined })

function open(options: Parameters<typeof receiving>[0] = {}) {
  const clock: SteppedClock = steppedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  const scene = receiving({ ...options, clock, store })
  return { ...scene, clock, store, deliver: () => scene.deliver(UNDATED) }
}

/** A handler whose first run never ends. */
function hangOnce(): () => unknown {
  let calls = 0
  return () => (++calls === 1 ? new Promise(() => {}) : undefined)
}

/** Milliseconds of the monotonic clock until a condition holds, if the machine's clock is set by `byMs` after `atMs`. */
async function timeUntil(clock: SteppedClock, condition: () => boolean, [atMs, byMs]: readonly [number, number]) {
  const since = clock.monotonicNow()
  await clock.advance(atMs)
  clock.step(byMs)
  for (let count = 0; !condition(); count++) {
    if (count > 1000) throw new Error('the condition never holds')
    await clock.advance(100)
  }
  return clock.monotonicNow() - since
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each([
  ['an hour ahead', HOUR],
  ['a minute ahead', MINUTE],
  ['an hour back', -HOUR],
  ['a month back', -30 * 24 * HOUR],
])('a clock that is set %s', (_, stepMs) => {
  test('doesn’t move the response’s deadline', async () => {
    const { receiver, deliver, clock, outcomes } = open()
    receiver.on('qr.scanned', () => new Promise(() => {}))
    void deliver()
    expect(await timeUntil(clock, () => outcomes.length > 0, [1000, stepMs])).toBe(4500)
    expect(outcomes).toMatchObject([{ status: 'unfinished' }])
  })

  test('doesn’t change how long a claim is waited for', async () => {
    const { receiver, deliver, clock, store, outcomes } = open()
    receiver.on('qr.scanned', () => expect.unreachable())
    store.fail('claim', 'hangs')
    void deliver()
    expect(await timeUntil(clock, () => outcomes.length > 0, [1000, stepMs])).toBe(4400)
  })

  test('doesn’t change how long a later claim is waited for', async () => {
    const { receiver, clock, store, deliver, outcomes } = open()
    receiver.on('qr.scanned', () => {})
    await deliver()
    clock.step(stepMs)
    store.fail('claim', 'hangs')
    void deliver()
    expect(await timeUntil(clock, () => outcomes.length > 1, [0, 0])).toBe(4400)
  })

  test.each([
    ['before', 1000],
    ['after', 10_000],
  ])('%s the response doesn’t change when handlers time out', async (_when, atMs) => {
    const { receiver, deliver, clock } = open({ handlerTimeoutMs: 20 * SECOND })
    let signal: AbortSignal | undefined
    receiver.on('qr.scanned', (_event, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    void deliver()
    expect(await timeUntil(clock, () => signal?.aborted === true, [atMs, stepMs])).toBe(20 * SECOND)
  })

  test('doesn’t make a process doubt its claim', async () => {
    const { receiver, clock, store, deliver } = open({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => {
      clock.step(stepMs)
      throw new PermanentError('no such customer')
    })
    expect((await deliver()).status).toBe('quarantined')
    expect(store.calls).toEqual(['claim', 'complete'])
  })

  test('doesn’t hide that a process was frozen longer than its lease', async () => {
    const { receiver, deliver, clock, store } = open({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => {
      clock.freeze(MINUTE)
      clock.step(stepMs)
      throw new PermanentError('no such customer')
    })
    void deliver()
    await clock.advance(0)
    expect(store.calls.slice(0, 2)).toEqual(['claim', 'renew'])
  })

  test('doesn’t end the lease of a memory store while its handler runs', async () => {
    const { receiver, clock, deliver } = open()
    receiver.on('qr.scanned', hangOnce())
    void deliver()
    await clock.advance(1000)
    clock.step(stepMs)
    expect((await deliver()).status).toBe('busy')
  })

  test('doesn’t prolong the lease of a handler that never ends', async () => {
    const { receiver, clock, deliver } = open()
    receiver.on('qr.scanned', hangOnce())
    void receiver.receive(deliveryOf(UNDATED, { freezesAfterResponse: true }))
    await clock.advance(5000)
    clock.step(stepMs)
    await clock.advance(49_999)
    expect((await deliver()).status).toBe('busy')
    await clock.advance(1)
    expect((await deliver()).status).toBe('processed')
  })

  test('doesn’t change for how long a completion is written again', async () => {
    const { receiver, clock, store, deliver, reported } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('complete', 'rejects')
    await deliver()
    await clock.advance(MINUTE)
    clock.step(stepMs)
    await clock.advance(118 * MINUTE)
    expect(reported('completion_abandoned')).toBe(0)
    await clock.advance(2 * MINUTE)
    expect([reported('completion_abandoned'), clock.pendingTimers()]).toEqual([1, 0])
  })

  test('doesn’t change how long close waits for a completion that is written again', async () => {
    const { receiver, clock, store, deliver } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('complete', 'rejects')
    await deliver()
    let isClosed = false
    void receiver.close().then(() => {
      isClosed = true
    })
    await clock.advance(SECOND)
    clock.step(stepMs)
    await clock.advance(5 * SECOND)
    expect(isClosed).toBe(false)
    await clock.advance(20 * SECOND)
    expect([isClosed, clock.pendingTimers()]).toEqual([true, 0])
  })

  test('doesn’t change when a problem is printed again', async () => {
    const lines: string[] = []
    vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
    const { receiver, clock, deliver } = open({ onError: undefined as never })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    await deliver()
    clock.step(stepMs)
    await clock.advance(59 * SECOND)
    await deliver()
    expect(lines).toHaveLength(1)
    await clock.advance(SECOND)
    await deliver()
    expect(lines).toHaveLength(2)
  })
})

test('a memory store without a clock isn’t affected by the machine’s clock either', () => {
  const machine = fixedClock(Date.parse(EVENT_TIME))
  vi.spyOn(Date, 'now').mockImplementation(() => machine.now())
  const store = memoryStore()
  const request = { key: 'ab'.repeat(32), leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: machine.now() + HOUR }
  expect(store.claim({ ...request, token: 'first' })).toMatchObject({ status: 'claimed' })
  machine.set(machine.now() + MINUTE)
  expect(store.claim({ ...request, token: 'second' })).toMatchObject({ status: 'busy' })
})

test('an event’s age is judged by the machine’s clock', async () => {
  const { receiver, clock } = open()
  receiver.on('qr.scanned', () => expect.unreachable())
  clock.step(73 * HOUR)
  expect(await receiver.receive(deliveryOf())).toMatchObject({ status: 'quarantined', code: 'stale' })
})
