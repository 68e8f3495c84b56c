/**
 * The last attempt with a slow or failing quarantine. Handlers that run past the deadline are judged by their own result, however late
 * the quarantine confirms. A success takes the entry back, and the claim is kept while handlers run.
 */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, type Receiving, receiving, SECOND } from '../support/receiving.js'

/** With a quarantine, an event of this age is on its last attempt. */
const LAST_ATTEMPT_AGE = 46 * MINUTE
/** A last attempt reserves the last second before its deadline (4.5 s) for the quarantine. */
const HANDLERS_UNTIL = 3500

interface LastAttempt extends Receiving<Record<never, never>, never> {
  readonly quarantine: MemoryQuarantine
  readonly store: ReturnType<typeof faultyStore>
  /** How many times the handler was started. */
  runs(): number
  /** The signal of the first run. */
  signal(): AbortSignal
  /** The latest entry that the quarantine received, even if it was discarded since. */
  latestEntry(): QuarantineEntry
}

interface Timing {
  /** How long the handler runs, in milliseconds. */
  readonly handlerMs: number
  /** How long the quarantine takes to confirm, in milliseconds. */
  readonly sinkMs: number
  readonly handlerTimeoutMs?: number
  /** Ends the handler. Default: it succeeds. */
  readonly ends?: () => void
}

/** A receiver whose clock makes the event's next attempt the last one. */
function openLastAttempt({ handlerMs, sinkMs, handlerTimeoutMs, ends }: Timing): LastAttempt {
  const clock = fixedClock(Date.parse(EVENT_TIME) + LAST_ATTEMPT_AGE)
  const store = faultyStore(memoryStore({ clock }))
  const inner = memoryQuarantine()
  let latest: QuarantineEntry | undefined
  const sink = async (entry: QuarantineEntry) => {
    await pause(clock, sinkMs)
    latest = entry
    await inner(entry)
  }
  const quarantine = Object.assign(sink, { ...inner })
  const endpoint = receiving({ clock, store, quarantine, ...(handlerTimeoutMs && { handlerTimeoutMs }) })
  let runs = 0
  let signal: AbortSignal | undefined
  endpoint.receiver.on('qr.scanned', async (_, context) => {
    runs++
    signal ??= context.signal
    await pause(clock, handlerMs)
    ends?.()
  })
  return {
    ...endpoint,
    store,
    quarantine,
    runs: () => runs,
    signal: () => signal as AbortSignal,
    latestEntry: () => latest as QuarantineEntry,
  }
}

describe('a last attempt whose handlers succeed after the deadline, with handlerTimeoutMs close to it', () => {
  it.each([
    {
      when: 'while the quarantine writes, past handlerTimeoutMs',
      timing: { handlerMs: 3800, sinkMs: 900, handlerTimeoutMs: 4000 },
      responseMs: 4400,
    },
    {
      when: 'while the quarantine writes, until before handlerTimeoutMs',
      timing: { handlerMs: 3600, sinkMs: 300, handlerTimeoutMs: 4000 },
      responseMs: 3800,
    },
    {
      when: 'after the quarantine confirmed',
      timing: { handlerMs: 3900, sinkMs: 200, handlerTimeoutMs: 4000 },
      responseMs: 3700,
    },
    {
      when: 'a millisecond before handlerTimeoutMs',
      timing: { handlerMs: 3599, sinkMs: 990, handlerTimeoutMs: 3600 },
      responseMs: 4490,
    },
    {
      when: 'between the response and handlerTimeoutMs',
      timing: { handlerMs: 4900, sinkMs: 990, handlerTimeoutMs: 5000 },
      responseMs: 4490,
    },
  ])('is recorded as processed and leaves the quarantine: $when', async ({ timing, responseMs }) => {
    const { attempt, deliver, clock, receiver, quarantine, store, reports, runs, signal, latestEntry } =
      openLastAttempt(timing)
    expect(await attempt()).toMatchObject({
      http: 200,
      ms: responseMs,
      outcome: { status: 'quarantined', code: 'attempts_exhausted' },
    })
    await clock.advance(5 * SECOND)
    expect(signal().aborted).toBe(false)
    expect(reports.map(({ code }) => code)).toEqual(['attempts_exhausted'])
    expect(quarantine.codes).toEqual(['attempts_exhausted'])
    expect(quarantine.entries.size).toBe(0)
    expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([1, 0, 0])
    expect((await deliver()).status).toBe('duplicate')
    // A record that was completed as quarantined could be claimed by reprocess; a processed one can't.
    expect((await receiver.reprocess(latestEntry())).status).toBe('duplicate')
    expect(runs()).toBe(1)
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('disk full')), 3500],
    ['hangs', () => new Promise<void>(() => {}), 4500],
  ])('returns 503 when the quarantine %s, and is still recorded as processed', async (_, sink, responseMs) => {
    const clock = fixedClock(Date.parse(EVENT_TIME) + LAST_ATTEMPT_AGE)
    const store = faultyStore(memoryStore({ clock }))
    const { receiver, attempt, deliver, reports } = receiving({
      clock,
      store,
      quarantine: sink,
      handlerTimeoutMs: 4000,
    })
    receiver.on('qr.scanned', () => pause(clock, 3800))
    expect(await attempt()).toMatchObject({
      http: 503,
      ms: responseMs,
      outcome: { status: 'unavailable', code: 'quarantine_unavailable' },
    })
    await clock.advance(SECOND)
    expect(reports.map(({ code }) => code)).toEqual(['quarantine_unavailable'])
    expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([1, 0, 0])
    expect((await deliver()).status).toBe('duplicate')
  })

  test('is recorded as processed if it is the fifth counted attempt', async () => {
    const quarantine = memoryQuarantine()
    const clock = fixedClock(EVENT_TIME)
    const slow = Object.assign(
      async (entry: QuarantineEntry) => {
        await pause(clock, 900)
        await quarantine(entry)
      },
      { ...quarantine },
    )
    const undated = { event: 'qr.created', webhook_id: 'wh-001', data: {} }
    const { receiver, attempts, deliver } = receiving({ clock, quarantine: slow, handlerTimeoutMs: 4000 })
    receiver.on('qr.created', async (_, context) => {
      if (context.attempt < 5) throw new Error('no database')
      await pause(clock, 3800)
    })
    const made = await attempts(undated)
    expect(made.map(({ http }) => http)).toEqual([500, 500, 500, 500, 200])
    expect(made.at(-1)).toMatchObject({ ms: 4400, outcome: { status: 'quarantined', attempt: 5 } })
    expect(quarantine.codes.at(-1)).toBe('attempts_exhausted')
    await clock.advance(SECOND)
    expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
    expect((await deliver(undated)).status).toBe('duplicate')
  })
})

describe('a last attempt whose handlers fail or hang after the deadline', () => {
  test.each([
    ['before the quarantine confirms', 3800, 900],
    ['after the quarantine has confirmed', 3900, 100],
  ])('stays in the quarantine with the error of the handler that fails %s', async (_, handlerMs, sinkMs) => {
    const ends = () => {
      throw new Error('no database')
    }
    const { attempt, deliver, clock, quarantine, store, reports } = openLastAttempt({
      handlerMs,
      sinkMs,
      handlerTimeoutMs: 4000,
      ends,
    })
    expect((await attempt()).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    await clock.advance(5 * SECOND)
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'attempts_exhausted', error: expect.stringContaining('no database') },
    ])
    expect(reports.map(({ code }) => code)).toEqual(['attempts_exhausted', 'handler_failed', 'attempts_exhausted'])
    expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([1, 0, 0])
    expect((await deliver()).status).toBe('duplicate')
  })

  test('stays in the quarantine under its own code when the handler throws a PermanentError', async () => {
    const ends = () => {
      throw new PermanentError('no such customer')
    }
    const { attempt, clock, quarantine } = openLastAttempt({ handlerMs: 3800, sinkMs: 900, ends })
    expect((await attempt()).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    await clock.advance(5 * SECOND)
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'permanent_error' }])
  })

  test('is timed out at handlerTimeoutMs while the quarantine still writes, and can be reprocessed', async () => {
    const { attempt, clock, receiver, quarantine, reports, runs, signal, latestEntry } = openLastAttempt({
      handlerMs: HOUR,
      sinkMs: 900,
      handlerTimeoutMs: 4000,
    })
    const last = attempt()
    await clock.advance(4000 - 1)
    expect(signal().aborted).toBe(false)
    await clock.advance(20)
    expect(signal().reason).toMatchObject({ code: 'handler_timeout' })
    expect((await last).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    await clock.advance(SECOND)
    expect(reports.map(({ code }) => code)).toEqual(['attempts_exhausted', 'handler_failed', 'attempts_exhausted'])
    expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('handlerTimeoutMs') }])
    void receiver.reprocess(latestEntry())
    await clock.advance(0)
    expect(runs()).toBe(2)
  })
})

describe('a last attempt whose handlers time out before the second reserved for the quarantine', () => {
  test.each([HANDLERS_UNTIL - 100, HANDLERS_UNTIL])('is timed out at handlerTimeoutMs of %i ms', async (timeoutMs) => {
    const { attempt, clock, quarantine, reports } = openLastAttempt({
      handlerMs: HOUR,
      sinkMs: 0,
      handlerTimeoutMs: timeoutMs,
    })
    expect(await attempt()).toMatchObject({
      ms: timeoutMs,
      outcome: { status: 'quarantined', code: 'attempts_exhausted', error: { code: 'handler_timeout' } },
    })
    expect(reports.map(({ code }) => code)).toEqual(['handler_failed', 'attempts_exhausted'])
    expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('handlerTimeoutMs') }])
    await clock.advance(SECOND)
    expect(clock.pendingTimers()).toBe(1)
  })

  test('is processed, without the quarantine, when the handlers succeed in time', async () => {
    const { attempt, clock, quarantine, store } = openLastAttempt({
      handlerMs: 3390,
      sinkMs: 900,
      handlerTimeoutMs: 3400,
    })
    expect(await attempt()).toMatchObject({ ms: 3390, http: 200, outcome: { status: 'processed' } })
    await clock.advance(SECOND)
    expect([quarantine.codes, store.count('complete')]).toEqual([[], 1])
  })
})

describe('a last attempt whose handlers run at the deadline while the quarantine fails', () => {
  /** A last attempt whose quarantine fails in one way until `state.isBroken` is cleared. */
  function openFailing(fault: 'rejects' | 'hangs', ends: () => void = () => {}, handlerMs = 10 * MINUTE) {
    const clock = fixedClock(Date.parse(EVENT_TIME) + LAST_ATTEMPT_AGE)
    const store = faultyStore(memoryStore({ clock }))
    const state = { isBroken: true }
    const quarantine = memoryQuarantine(() => {
      if (!state.isBroken) return undefined
      return fault === 'rejects' ? Promise.reject(new Error('disk full')) : new Promise(() => {})
    })
    const endpoint = receiving({ clock, store, quarantine })
    let runs = 0
    endpoint.receiver.on('qr.scanned', async () => {
      runs++
      await pause(clock, handlerMs)
      ends()
    })
    return { ...endpoint, store, state, quarantine, runs: () => runs }
  }

  describe.each(['rejects', 'hangs'] as const)('the quarantine %s', (fault) => {
    test('returns 503, and keeps the claim until the handlers have ended', async () => {
      const { attempt, clock, store, runs } = openFailing(fault)
      expect(await attempt()).toMatchObject({
        http: 503,
        outcome: { status: 'unavailable', code: 'quarantine_unavailable', attempt: 1 },
      })
      // Five minutes outlast a lease (55 s), so only heartbeats can have kept the claim.
      await clock.advance(5 * MINUTE)
      expect(store.count('release')).toBe(0)
      expect((await attempt()).http).toBe(503)
      expect(runs()).toBe(1)
      await clock.advance(5 * MINUTE)
      expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([1, 0, 0])
      expect(await attempt()).toMatchObject({ http: 200, outcome: { status: 'duplicate' } })
      expect(runs()).toBe(1)
    })

    test('keeps the claim of a handler that failed until the quarantine has it', async () => {
      const { attempt, deliver, clock, store, state, quarantine, runs } = openFailing(fault, () => {
        throw new Error('no database')
      })
      await attempt()
      await clock.advance(20 * MINUTE)
      expect([store.count('complete'), store.count('release')]).toEqual([0, 0])
      state.isBroken = false
      await clock.advance(15 * SECOND)
      expect([...quarantine.entries.values()]).toMatchObject([
        { code: 'attempts_exhausted', error: expect.stringContaining('no database') },
      ])
      expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([1, 0, 0])
      expect((await deliver()).status).toBe('duplicate')
      expect(runs()).toBe(1)
    })

    test('releases the claim of a handler that failed after asking the quarantine for two hours', async () => {
      const { attempt, clock, store } = openFailing(fault, () => {
        throw new Error('no database')
      })
      await attempt()
      await clock.advance(2 * HOUR)
      expect(store.count('release')).toBe(0)
      await clock.advance(HOUR)
      expect([store.count('complete'), store.count('release'), clock.pendingTimers()]).toEqual([0, 1, 0])
    })
  })

  test('the claim is kept until handlerTimeoutMs when the handlers never end', async () => {
    const { attempt, clock, store, state, quarantine } = openFailing('rejects', () => {}, 24 * HOUR)
    await attempt()
    await clock.advance(15 * MINUTE - 5 * SECOND)
    expect([store.count('complete'), store.count('release')]).toEqual([0, 0])
    state.isBroken = false
    await clock.advance(MINUTE)
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'attempts_exhausted' }])
    expect([store.count('complete'), store.count('release')]).toEqual([1, 0])
  })
})
