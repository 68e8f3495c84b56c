/**
 * A delivery whose earlier attempts all crashed. The receiver quarantines it early before running its handlers again. On the last attempt
 * the receiver quarantines it without running them.
 */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry, type QuarantineSink, type Store } from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { jobOf } from '../support/handed-out.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

/** An event without a timestamp has no age, so only the store's count decides which attempt is the last. */
const UNDATED = scannedEvent({ timestamp: undefined })

/** Simulates a process that crashes while its handlers run: its clock never advances again. */
async function crash(store: Store, clock: FixedClock): Promise<void> {
  const dying = receiving({ store, clock: fixedClock(clock.now()) })
  dying.receiver.on('qr.scanned', () => new Promise(() => {}))
  void dying.deliver(UNDATED)
  // The next attempt arrives a minute later, when the lease of 55 s has expired.
  await clock.advance(MINUTE)
}

/** Starts the next process after `crashes` attempts that crashed. */
async function openAfter(crashes: number, clock: FixedClock, quarantine?: QuarantineSink) {
  const store = memoryStore({ clock })
  for (let count = 0; count < crashes; count++) await crash(store, clock)
  return receiving({ store, clock, ...(quarantine && { quarantine }) })
}

const start = () => fixedClock(EVENT_TIME)

describe('a delivery whose first attempt crashed', () => {
  it('is quarantined early before its handlers run again', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, deliver, clock } = await openAfter(1, start(), quarantine)
    const seen: unknown[] = []
    receiver.on('qr.scanned', (_, { attempt }) => {
      seen.push([attempt, ...quarantine.codes])
      // If this process crashes as well, the entry already exists.
      return new Promise(() => {})
    })
    void deliver(UNDATED)
    await clock.advance(0)
    expect(seen).toEqual([[2, 'retry_pending']])
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'retry_pending', eventType: 'qr.scanned', attempt: 2, error: expect.any(String) },
    ])
  })

  it('runs its handlers only once the quarantine has confirmed', async () => {
    const clock = start()
    let isSlow = false
    const { receiver, deliver } = await openAfter(
      1,
      clock,
      memoryQuarantine(() => (isSlow ? pause(clock, 600) : undefined)),
    )
    isSlow = true
    const startedAt: number[] = []
    const since = clock.now()
    receiver.on('qr.scanned', () => void startedAt.push(clock.now() - since))
    void deliver(UNDATED)
    await clock.advance(599)
    expect(startedAt).toEqual([])
    await clock.advance(1)
    expect(startedAt).toEqual([600])
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('disk full')), 0],
    ['hangs', () => new Promise<void>(() => {}), 1000],
  ])('runs its handlers even if the quarantine %s', async (_, sink, ms) => {
    const quarantine = Object.assign(sink, { discard: async () => {} })
    const { receiver, attempt, reports, clock } = await openAfter(1, start(), quarantine)
    receiver.on('qr.scanned', () => {})
    expect(await attempt(UNDATED)).toMatchObject({ http: 200, ms, outcome: { status: 'processed', attempt: 2 } })
    // The entry has 4.5 s in all; the handlers waited for it for 1 s.
    await clock.advance(4499 - ms)
    expect(reports).toHaveLength(ms === 0 ? 1 : 0)
    await clock.advance(1)
    expect(reports.map(({ code }) => code)).toEqual(['quarantine_unavailable'])
    expect(clock.pendingTimers()).toBe(0)
  })

  it('leaves the quarantine when its handlers succeed', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt, clock } = await openAfter(1, start(), quarantine)
    receiver.on('qr.scanned', () => {})
    expect((await attempt(UNDATED)).outcome).toMatchObject({ status: 'processed', attempt: 2 })
    await clock.advance(SECOND)
    expect([quarantine.codes, quarantine.entries.size]).toEqual([['retry_pending'], 0])
  })

  it('stays in the quarantine with the error when its handlers fail', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt } = await openAfter(1, start(), quarantine)
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect(await attempt(UNDATED)).toMatchObject({ http: 500, outcome: { status: 'failed', attempt: 2 } })
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'retry_pending', error: expect.stringContaining('no database') },
    ])
  })

  it('runs its handlers without being quarantined early if the quarantine cannot discard', async () => {
    const kept: QuarantineEntry[] = []
    const { receiver, attempt } = await openAfter(1, start(), async (entry) => void kept.push(entry))
    receiver.on('qr.scanned', () => {})
    expect((await attempt(UNDATED)).outcome).toMatchObject({ status: 'processed', attempt: 2 })
    expect(kept).toEqual([])
  })

  it('runs its handlers without a quarantine', async () => {
    const { receiver, attempt, reports } = await openAfter(1, start())
    receiver.on('qr.scanned', () => {})
    expect((await attempt(UNDATED)).outcome).toMatchObject({ status: 'processed', attempt: 2 })
    expect(reports).toEqual([])
  })
})

test('a first attempt runs its handlers at once, even if its age makes it the last attempt', async () => {
  const quarantine = memoryQuarantine()
  const { receiver, attempt, clock } = receiving({ quarantine })
  receiver.on('qr.scanned', () => {})
  await clock.advance(50 * MINUTE)
  expect((await attempt()).outcome).toMatchObject({ status: 'processed', attempt: 1 })
  expect(quarantine.codes).toEqual([])
})

test('a delivery that failed is quarantined early when it fails again, not when its handlers start', async () => {
  const clock = start()
  const quarantine = memoryQuarantine()
  const { receiver, attempt } = receiving({ clock, quarantine })
  const seen: (readonly string[])[] = []
  receiver.on('qr.scanned', (_, context) => {
    seen.push([...quarantine.codes])
    if (context.attempt < 3) throw new Error('no database')
  })
  await attempt(UNDATED)
  await clock.advance(MINUTE)
  await attempt(UNDATED)
  await clock.advance(MINUTE)
  expect((await attempt(UNDATED)).outcome.status).toBe('processed')
  expect(seen).toEqual([[], [], ['retry_pending']])
})

test('a delivery that failed once and crashed three times runs its handlers on the fifth attempt', async () => {
  const clock = start()
  const store = memoryStore({ clock })
  const quarantine = memoryQuarantine()
  const failing = receiving({ clock, store })
  failing.receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
  await failing.deliver(UNDATED)
  await clock.advance(MINUTE)
  for (let count = 0; count < 3; count++) await crash(store, clock)
  const { receiver, attempt } = receiving({ clock, store, quarantine })
  receiver.on('qr.scanned', () => {})
  expect((await attempt(UNDATED)).outcome).toMatchObject({ status: 'processed', attempt: 5 })
  await clock.advance(SECOND)
  expect(quarantine.codes).toEqual([])
})

describe('a delivery whose first four attempts crashed', () => {
  it('is quarantined as handler_crashed on the fifth, without running its handlers', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt, deliver, reports } = await openAfter(4, start(), quarantine)
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt(UNDATED)).toMatchObject({
      http: 200,
      outcome: { status: 'quarantined', code: 'handler_crashed', attempt: 5, attemptsLeft: 0 },
    })
    expect(quarantine.codes).toEqual(['handler_crashed'])
    expect(reports.map(({ code }) => code)).toEqual(['handler_crashed'])
    expect((await deliver(UNDATED)).status).toBe('duplicate')
  })

  it('can be reprocessed, and then its handlers run', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt } = await openAfter(4, start(), quarantine)
    let runs = 0
    receiver.on('qr.scanned', () => void runs++)
    await attempt(UNDATED)
    const [entry] = quarantine.entries.values()
    expect((await receiver.reprocess(entry as QuarantineEntry)).status).toBe('processed')
    expect([runs, quarantine.codes, quarantine.entries.size]).toEqual([1, ['handler_crashed'], 0])
  })

  it('is dropped and reported without a quarantine', async () => {
    const { receiver, attempt, deliver, reports } = await openAfter(4, start())
    receiver.on('qr.scanned', () => expect.unreachable())
    expect((await attempt(UNDATED)).outcome).toMatchObject({ status: 'quarantined', code: 'handler_crashed' })
    expect(reports.map(({ code }) => code)).toEqual(['event_dropped'])
    expect((await deliver(UNDATED)).status).toBe('duplicate')
  })

  it('returns 503 while the quarantine is down, and that attempt is not counted', async () => {
    const state = { isBroken: true }
    const quarantine = memoryQuarantine(() => {
      if (state.isBroken) throw new Error('disk full')
    })
    const { receiver, attempt } = await openAfter(4, start(), quarantine)
    receiver.on('qr.scanned', () => expect.unreachable())
    const outcome = { status: 'unavailable', code: 'quarantine_unavailable', attempt: 5 }
    expect(await attempt(UNDATED)).toMatchObject({ http: 503, outcome })
    state.isBroken = false
    expect(await attempt(UNDATED)).toMatchObject({
      http: 200,
      outcome: { status: 'quarantined', code: 'handler_crashed', attempt: 5 },
    })
  })
})

describe('a job of an inbox whose process crashed', () => {
  it('runs its handlers again without being quarantined early, because the inbox still holds it', async () => {
    const quarantine = memoryQuarantine()
    const { receiver } = await openAfter(1, start(), quarantine)
    receiver.on('qr.scanned', () => {})
    expect(await receiver.process(jobOf(UNDATED), { number: 2, last: false })).toMatchObject({
      status: 'processed',
      attempt: 2,
    })
    expect(quarantine.codes).toEqual([])
  })

  it.each([
    ['the last', { number: 2, last: true }],
    ['announced as over', { number: 1, last: false, over: true }],
  ])('is quarantined as handler_crashed without running its handlers when its attempt is %s', async (_, attempt) => {
    const quarantine = memoryQuarantine()
    const { receiver } = await openAfter(1, start(), quarantine)
    receiver.on('qr.scanned', () => expect.unreachable())
    const outcome = await receiver.process(jobOf(UNDATED), attempt)
    expect(outcome).toMatchObject({ status: 'quarantined', code: 'handler_crashed' })
    expect(quarantine.codes).toEqual(['handler_crashed'])
  })
})

test('a quarantined delivery whose reprocessing crashed is reprocessed again with its handlers', async () => {
  const clock = start()
  const store = memoryStore({ clock })
  const quarantine = memoryQuarantine()
  const first = receiving({ clock, store, quarantine })
  first.receiver.on('qr.scanned', () => {
    throw new PermanentError('no table')
  })
  await first.deliver(UNDATED)
  const [entry] = quarantine.entries.values()
  const dying = receiving({ store, clock: fixedClock(clock.now()), quarantine })
  dying.receiver.on('qr.scanned', () => new Promise(() => {}))
  void dying.receiver.reprocess(entry as QuarantineEntry)
  await clock.advance(MINUTE)
  const next = receiving({ clock, store, quarantine })
  next.receiver.on('qr.scanned', () => {})
  expect((await next.receiver.reprocess(entry as QuarantineEntry)).status).toBe('processed')
  expect(quarantine.entries.size).toBe(0)
})
