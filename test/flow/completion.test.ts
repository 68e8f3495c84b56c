/**
 * A store that completes asynchronously: the outcome waits for it for min(1 s, time left). A completion that takes longer continues in
 * the background, where the platform and `close` wait for it. It is reported and written again only if the store doesn't confirm within
 * 4.5 s.
 */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, type Outcome, PermanentError, type QuarantineEntry, type Store } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { entryOf, jobOf } from '../support/handed-out.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, type Receiving, receiving, SECOND } from '../support/receiving.js'

interface SlowStore extends Store {
  /** How many times each call was made. */
  readonly counts: { complete: number; renew: number; release: number }
}

/** A store whose first completion takes `completeMs` and is recorded at the end of that time; `undefined`: synchronous. */
function slowStore(inner: Store, wait: (ms: number) => Promise<void>, completeMs: number | undefined): SlowStore {
  const counts = { complete: 0, renew: 0, release: 0 }
  return {
    ...inner,
    counts,
    complete(request) {
      counts.complete++
      if (completeMs === undefined) return inner.complete(request)
      return wait(counts.complete === 1 ? completeMs : 0).then(() => inner.complete(request))
    },
    renew(request) {
      counts.renew++
      return inner.renew(request)
    },
    release(request) {
      counts.release++
      return inner.release(request)
    },
  }
}

interface Slow extends Receiving<Record<never, never>, never> {
  readonly store: SlowStore
}

/** A receiver whose store takes `completeMs` for the first completion. */
function open(completeMs: number | undefined, options: Parameters<typeof receiving>[0] = {}): Slow {
  const clock = fixedClock(EVENT_TIME)
  const store = slowStore(memoryStore({ clock }), (ms) => pause(clock, ms), completeMs)
  return { ...receiving({ ...options, clock, store }), store }
}

describe.each([
  ['a synchronous handler', () => {}],
  ['an asynchronous handler', async () => {}],
])('after %s', (_, handler) => {
  it.each([
    ['a synchronous completion', undefined, 0],
    ['a completion that resolves at once', 0, 0],
    ['a completion of 600 ms', 600, 600],
    ['a completion of 990 ms', 990, 990],
  ])('the outcome waits for %s', async (_name, completeMs, responseMs) => {
    const { receiver, attempt, deliver, store, reports, clock } = open(completeMs)
    receiver.on('qr.scanned', handler)
    const made = await attempt(scannedEvent(), { waitUntil: () => expect.unreachable() })
    expect(made).toMatchObject({ http: 200, ms: responseMs, outcome: { status: 'processed' } })
    expect([reports, store.counts, clock.pendingTimers()]).toEqual([[], { complete: 1, renew: 0, release: 0 }, 0])
    expect((await deliver()).status).toBe('duplicate')
  })

  it('no outcome is returned before the store has confirmed', async () => {
    const { receiver, deliver, clock } = open(600)
    receiver.on('qr.scanned', handler)
    const outcomes: Outcome[] = []
    void deliver().then((outcome) => outcomes.push(outcome))
    await clock.advance(599)
    expect(outcomes).toEqual([])
    expect((await deliver()).status).toBe('busy')
    await clock.advance(1)
    expect(outcomes).toMatchObject([{ status: 'processed' }])
  })

  it('a completion that takes longer than 1 s continues in the background', async () => {
    const { receiver, attempt, deliver, store, reports, clock } = open(1200)
    receiver.on('qr.scanned', handler)
    const background: Promise<unknown>[] = []
    const made = await attempt(scannedEvent(), { waitUntil: (work) => void background.push(work) })
    expect(made).toMatchObject({ http: 200, ms: 1000, outcome: { status: 'processed' } })
    expect(store.counts).toEqual({ complete: 1, renew: 0, release: 0 })
    expect((await deliver()).status).toBe('busy')
    expect(background).toHaveLength(1)
    await clock.advance(200)
    await background[0]
    expect((await deliver()).status).toBe('duplicate')
    expect([reports, store.counts.complete, clock.pendingTimers()]).toEqual([[], 1, 0])
  })

  it('a completion that takes longer than 4.5 s is reported and written again, and its lease is kept', async () => {
    const { receiver, attempt, deliver, store, reports, clock } = open(6000)
    receiver.on('qr.scanned', handler)
    const background: Promise<unknown>[] = []
    const made = await attempt(scannedEvent(), { waitUntil: (work) => void background.push(work) })
    expect(made).toMatchObject({ http: 200, ms: 1000, outcome: { status: 'processed' } })
    await clock.advance(3499)
    expect([reports, store.counts]).toEqual([[], { complete: 1, renew: 0, release: 0 }])
    await clock.advance(1)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    expect(store.counts).toEqual({ complete: 1, renew: 1, release: 0 })
    expect((await deliver()).status).toBe('busy')
    await clock.advance(250)
    await background[0]
    expect((await deliver()).status).toBe('duplicate')
    expect(store.counts).toEqual({ complete: 2, renew: 1, release: 0 })
    await clock.advance(10 * SECOND)
    expect([reports.length, clock.pendingTimers()]).toEqual([1, 0])
  })
})

describe('close', () => {
  test('waits for a completion that continues after the response', async () => {
    const { receiver, attempt, clock } = open(1200)
    receiver.on('qr.scanned', () => {})
    await attempt()
    let isClosed = false
    void receiver.close().then(() => {
      isClosed = true
    })
    await clock.advance(199)
    expect(isClosed).toBe(false)
    await clock.advance(1)
    expect([isClosed, clock.pendingTimers()]).toEqual([true, 0])
  })

  test('waits for a completion whose handler finished after the response', async () => {
    const { receiver, attempt, clock } = open(600)
    receiver.on('qr.scanned', () => pause(clock, 10 * SECOND))
    await attempt()
    let isClosed = false
    void receiver.close().then(() => {
      isClosed = true
    })
    await clock.advance(5 * SECOND + 1000)
    expect(isClosed).toBe(false)
    await clock.advance(100)
    expect([isClosed, clock.pendingTimers()]).toEqual([true, 0])
  })
})

describe('a completion near the deadline', () => {
  it.each([
    { name: 'of 400 ms after a handler of 4,000 ms', handlerMs: 4000, completeMs: 400, responseMs: 4400 },
    { name: 'of 700 ms after a handler of 4,000 ms', handlerMs: 4000, completeMs: 700, responseMs: 4500 },
    { name: 'of 20 ms after a handler of 4,490 ms', handlerMs: 4490, completeMs: 20, responseMs: 4500 },
    { name: 'that is synchronous', handlerMs: 4490, completeMs: undefined, responseMs: 4490 },
  ])('$name lets the response leave at $responseMs ms', async ({ handlerMs, completeMs, responseMs }) => {
    const { receiver, attempt, deliver, reports, clock } = open(completeMs)
    receiver.on('qr.scanned', () => pause(clock, handlerMs))
    expect(await attempt()).toMatchObject({ http: 200, ms: responseMs, outcome: { status: 'processed' } })
    await clock.advance(2 * SECOND)
    expect((await deliver()).status).toBe('duplicate')
    expect([reports, clock.pendingTimers()]).toEqual([[], 0])
  })

  test('that becomes due after the response is recorded once, without a report', async () => {
    const { receiver, attempt, deliver, store, reports, clock } = open(600)
    receiver.on('qr.scanned', () => pause(clock, 10 * SECOND))
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(5 * SECOND + 800)
    expect((await deliver()).status).toBe('busy')
    await clock.advance(500)
    expect((await deliver()).status).toBe('duplicate')
    expect([reports, store.counts.complete, clock.pendingTimers()]).toEqual([[], 1, 0])
  })
})

describe('a quarantined delivery', () => {
  const refuse = () => {
    throw new PermanentError('no such customer')
  }

  it.each([
    [600, 600, 0],
    [1200, 1000, 0],
    [6000, 1000, 1],
  ])('with a completion of %i ms: the response leaves at %i ms', async (completeMs, responseMs, delayed) => {
    const { receiver, attempt, deliver, reported, clock } = open(completeMs, { quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', refuse)
    const made = await attempt()
    expect(made).toMatchObject({ http: 200, ms: responseMs, outcome: { status: 'quarantined' } })
    await clock.advance(4 * SECOND)
    expect(reported('completion_delayed')).toBe(delayed)
    expect((await deliver()).status).toBe('duplicate')
    await clock.advance(2 * SECOND)
    expect(clock.pendingTimers()).toBe(0)
  })

  test('is completed only after the quarantine has confirmed', async () => {
    const quarantine = memoryQuarantine(() => Promise.reject(new Error('disk full')))
    const { receiver, attempt, store } = open(600, { quarantine })
    receiver.on('qr.scanned', refuse)
    expect(await attempt()).toMatchObject({ http: 503, ms: 0 })
    expect(store.counts).toEqual({ complete: 0, renew: 0, release: 1 })
  })
})

describe('the entry of a delivery that was quarantined early', () => {
  /** The event's second attempt, which succeeds; discarding its entry takes `discardMs`. */
  async function openKept(completeMs: number, discardMs: number) {
    const inner = memoryQuarantine()
    const quarantine = Object.assign((entry: QuarantineEntry) => inner(entry), {
      discard: (key: string) => pause(slow.clock, discardMs).then(() => inner.discard(key)),
    })
    const slow = open(completeMs, { quarantine })
    slow.receiver.on('qr.scanned', (_, { attempt }) => {
      if (attempt === 1) throw new Error('no database')
    })
    await slow.clock.advance(MINUTE)
    await slow.deliver()
    return { ...slow, quarantine: inner }
  }

  test('is discarded after the completion, and the response does not wait for that', async () => {
    const { attempt, quarantine, clock } = await openKept(600, 900)
    expect(quarantine.entries.size).toBe(1)
    const background: Promise<unknown>[] = []
    const made = await attempt(scannedEvent(), { waitUntil: (work) => void background.push(work) })
    expect(made).toMatchObject({ ms: 600, outcome: { status: 'processed' } })
    expect([quarantine.entries.size, background.length]).toEqual([1, 1])
    await clock.advance(900)
    await background[0]
    expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
  })
})

describe('a delivery without a sender that waits', () => {
  it.each([
    [600, 600, 0],
    [1200, 1000, 0],
    [6000, 1000, 1],
  ])('process waits for a completion of %i ms until %i ms', async (completeMs, resolvesMs, delayed) => {
    const { receiver, reported, clock } = open(completeMs)
    receiver.on('qr.scanned', () => {})
    let settledAt: number | undefined
    void receiver.process(jobOf(), { number: 1, last: false }).then(() => {
      settledAt = clock.now() - Date.parse(EVENT_TIME)
    })
    await clock.advance(5 * SECOND)
    expect([settledAt, reported('completion_delayed')]).toEqual([resolvesMs, delayed])
    expect((await receiver.process(jobOf(), { number: 2, last: false })).status).toBe('duplicate')
  })

  test('reprocess waits for the completion too', async () => {
    const { receiver, clock } = open(600)
    receiver.on('qr.scanned', () => {})
    const outcomes: Outcome[] = []
    void receiver.reprocess(entryOf()).then((outcome) => outcomes.push(outcome))
    await clock.advance(599)
    expect(outcomes).toEqual([])
    await clock.advance(1)
    expect(outcomes).toMatchObject([{ status: 'processed' }])
  })
})
