/** The attempt budget: GoValid makes five attempts, and a handler that throws, hangs or crashes never uses up the last one. */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, eventOf, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { type Attempt, HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

const statuses = (made: readonly Attempt[]) => made.map(({ outcome }) => outcome.status)
const responses = (made: readonly Attempt[]) => made.map(({ http }) => http)

describe('a handler that fails once (acceptance cases 151 and 178)', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no database')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('gets 500 when it %s, and the retry is processed, not called a duplicate or a replay', async (_, fails) => {
    const seen: { attempt: number; redelivery: boolean }[] = []
    const { receiver, attempts, reports } = receiving()
    receiver.on('qr.scanned', (_event, { attempt, redelivery }) => {
      seen.push({ attempt, redelivery })
      if (attempt === 1) return fails()
      return undefined
    })
    const made = await attempts()
    expect(responses(made)).toEqual([500, 200])
    expect(made[0]?.outcome).toMatchObject({
      status: 'failed',
      error: new Error('no database'),
      attempt: 1,
      attemptsLeft: 4,
    })
    expect(made[1]?.outcome).toMatchObject({ status: 'processed', attempt: 2, attemptsLeft: 3 })
    expect(seen).toEqual([
      { attempt: 1, redelivery: false },
      { attempt: 2, redelivery: true },
    ])
    // The handler's error is reported: some webhook SDKs log it nowhere.
    expect(reports).toMatchObject([
      {
        code: 'handler_failed',
        message: expect.stringContaining('failed (attempt 1)'),
        eventType: 'qr.scanned',
        error: new Error('no database'),
      },
    ])
  })
})

describe('a handler that fails on every attempt (acceptance case 180)', () => {
  test('gets 500 four times, then 200 from the quarantine', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempts, deliver } = receiving({ quarantine })
    receiver.on('qr.scanned', ({ data }) => Promise.reject(new Error(`no ${data.qr_id}`)))
    const made = await attempts()
    expect(responses(made)).toEqual([500, 500, 500, 500, 200])
    expect(made.at(-1)?.outcome).toMatchObject({
      status: 'quarantined',
      code: 'attempts_exhausted',
      attempt: 5,
      attemptsLeft: 0,
    })
    const [entry] = quarantine.entries.values()
    expect(entry).toMatchObject({
      code: 'attempts_exhausted',
      eventType: 'qr.scanned',
      attempt: 5,
      error: expect.stringContaining('no abc123'),
    })
    expect(new TextDecoder().decode(entry?.rawBody)).toBe(JSON.stringify(scannedEvent()))
    expect((await deliver()).status).toBe('duplicate')
    expect(quarantine.entries.size).toBe(1)
  })

  test('gets 500 four times, then 200 and an event_dropped report without a quarantine', async () => {
    const { receiver, attempts, reports, deliver } = receiving()
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect(responses(await attempts())).toEqual([500, 500, 500, 500, 200])
    const dropped = reports.filter(({ code }) => code === 'event_dropped')
    expect(dropped).toMatchObject([
      {
        eventType: 'qr.scanned',
        idempotencyKey: expect.stringMatching(/^[0-9a-f]{64}$/),
        error: new Error('no database'),
      },
    ])
    expect(JSON.stringify(dropped)).not.toContain('Jakarta')
    expect((await deliver()).status).toBe('duplicate')
  })

  test('is quarantined early from the second attempt on, and a success discards the entry', async () => {
    const quarantine = memoryQuarantine()
    let failuresLeft = 3
    const { receiver, attempts } = receiving({ quarantine })
    receiver.on('qr.scanned', () => {
      if (failuresLeft-- > 0) throw new Error('no database')
    })
    expect(statuses(await attempts())).toEqual(['failed', 'failed', 'failed', 'processed'])
    expect(quarantine.codes).toEqual(['retry_pending', 'retry_pending'])
    expect(quarantine.entries.size).toBe(0)
  })

  test.each([
    ['is not quarantined early', 'that just happened', 0, []],
    ['is not quarantined early', 'that is 44.999 s old', 45 * SECOND - 1, []],
    // An attempt before this one may have been lost on its way.
    ['is quarantined early', 'that is 45 s old', 45 * SECOND, ['retry_pending']],
    // The clock is wrong, so the age is unknown.
    ['is quarantined early', 'that is 1 ms in the future', -1, ['retry_pending']],
  ])('%s on the first counted attempt of an event %s', async (_, _event, ageMs, kept) => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt } = receiving({ quarantine, clock: fixedClock(Date.parse(EVENT_TIME) + ageMs) })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect((await attempt()).http).toBe(500)
    expect(quarantine.codes).toEqual(kept)
  })

  test('is quarantined early on its second attempt at any age', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, deliver } = receiving({ quarantine })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    await deliver()
    expect(quarantine.codes).toEqual([])
    await deliver()
    expect(quarantine.codes).toEqual(['retry_pending'])
  })

  test('leaves the quarantine when its handler succeeds after the response, for an event without a timestamp', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => pause(clock, 90 * SECOND))
    const undated = scannedEvent({ timestamp: undefined })
    expect((await attempt(undated)).outcome.status).toBe('unfinished')
    await clock.advance(MINUTE)
    expect((await attempt(undated)).outcome.status).toBe('busy')
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'retry_pending' }])
    await clock.advance(30 * SECOND)
    expect(quarantine.entries.size).toBe(0)
  })

  test('gets 503 on the last attempt while the quarantine fails', async () => {
    const quarantine = () => Promise.reject(new Error('disk full'))
    const { receiver, attempts } = receiving({ quarantine })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    const made = await attempts()
    expect(responses(made)).toEqual([500, 500, 500, 500, 503])
    expect(made.at(-1)?.outcome).toMatchObject({ status: 'unavailable', code: 'quarantine_unavailable' })
  })
})

describe('a PermanentError (acceptance case 179)', () => {
  test('gets 503 while the quarantine fails, and is released for the next attempt', async () => {
    let calls = 0
    const { receiver, clock, attempt } = receiving({ quarantine: () => Promise.reject(new Error('disk full')) })
    receiver.on('qr.scanned', () => {
      if (++calls === 1) throw new PermanentError('no such customer')
    })
    expect(await attempt()).toMatchObject({ http: 503, outcome: { code: 'quarantine_unavailable' } })
    expect(clock.pendingTimers()).toBe(0)
    expect((await attempt()).outcome).toMatchObject({ status: 'processed', attempt: 2 })
  })

  test.each([
    ['with', memoryQuarantine()],
    ['without', undefined],
  ])('gets 200 on the first attempt and is never run again, %s a quarantine', async (_, quarantine) => {
    let calls = 0
    const { receiver, attempts, deliver } = receiving({ ...(quarantine && { quarantine }) })
    receiver.on('qr.scanned', () => {
      calls++
      throw new PermanentError('no such customer')
    })
    const made = await attempts()
    expect(made).toMatchObject([{ http: 200, outcome: { status: 'quarantined', code: 'permanent_error', attempt: 1 } }])
    expect((await deliver()).status).toBe('duplicate')
    expect(calls).toBe(1)
    if (quarantine) expect([...quarantine.entries.values()]).toMatchObject([{ code: 'permanent_error', attempt: 1 }])
  })

  test('next to a temporary error gets 500, because a retry can help', async () => {
    const { receiver, attempt } = receiving()
    receiver.on('qr.scanned', () => Promise.reject(new PermanentError('never')))
    receiver.on('qr.scanned', () => Promise.reject(new Error('later')))
    expect(await attempt()).toMatchObject({
      http: 500,
      outcome: { status: 'failed', error: expect.any(AggregateError) },
    })
  })
})

describe('the age of a delivery, for attempts that never reached the store', () => {
  test('makes an attempt after 45 minutes the last one if there is a quarantine', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    await clock.advance(45 * MINUTE)
    expect(await attempt()).toMatchObject({ http: 500, outcome: { attempt: 1 } })
    await clock.advance(1)
    expect(await attempt()).toMatchObject({
      http: 200,
      outcome: { status: 'quarantined', code: 'attempts_exhausted', attempt: 2 },
    })
  })

  describe('without one', () => {
    /** The HTTP statuses of a new process whose handler fails, for attempts at these minutes after the event. */
    async function responsesAt(...minutes: readonly number[]) {
      const { clock, receiver, attempt } = receiving()
      receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
      const made: number[] = []
      for (const each of minutes) {
        await clock.advance(Date.parse(EVENT_TIME) + each * MINUTE - clock.now())
        made.push((await attempt()).http)
      }
      return made
    }

    test('a fifth attempt is the last even if a restart lost the count of the four before it', async () => {
      expect(await responsesAt(60)).toEqual([200])
      expect(await responsesAt(81)).toEqual([200])
      expect(await responsesAt(100)).toEqual([200])
      expect(await responsesAt(1, 21, 81)).toEqual([500, 500, 200])
    })

    test('an attempt too early or too late for the fifth gets 500', async () => {
      expect(await responsesAt(45)).toEqual([500])
      expect(await responsesAt(100 + 1 / MINUTE)).toEqual([500])
      expect(await responsesAt(101, 102, 107, 122)).toEqual([500, 500, 500, 500])
    })

    test('an event that is younger than the process is counted from its first attempt', async () => {
      const { clock, receiver, attempt } = receiving()
      receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
      const first = scannedEvent({ timestamp: new Date(clock.now()).toISOString(), nonce: 'before' })
      await attempt(first)
      await clock.advance(MINUTE)
      const late = scannedEvent({ timestamp: new Date(clock.now()).toISOString() })
      await clock.advance(60 * MINUTE)
      expect((await attempt(late)).http).toBe(500)
      expect((await attempt(first)).http).toBe(500)
    })

    test('without a store, a restarted process drops nothing', async () => {
      const { clock, receiver, attempt } = receiving({ store: false })
      receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
      await clock.advance(60 * MINUTE)
      expect((await attempt()).http).toBe(500)
    })

    test('an event that is dropped because of its age is reported', async () => {
      const { clock, receiver, attempt, reports } = receiving()
      receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
      await clock.advance(60 * MINUTE)
      expect((await attempt()).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted', attempt: 1 })
      expect(reports.at(-1)).toMatchObject({ code: 'event_dropped', eventType: 'qr.scanned' })
    })

    test('an unavailable store gets 503 at any age, because the handler has not failed', async () => {
      const clock = fixedClock(EVENT_TIME)
      const store = faultyStore(memoryStore({ clock }))
      store.fail('claim', 'rejects')
      const { receiver, attempt } = receiving({ clock, store })
      receiver.on('qr.scanned', () => {})
      await clock.advance(81 * MINUTE)
      expect((await attempt()).http).toBe(503)
    })
  })

  test('is unknown for an event without a readable timestamp', async () => {
    const { clock, receiver, attempt } = receiving({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    await clock.advance(80 * MINUTE)
    expect((await attempt(scannedEvent({ timestamp: 'hello' }))).http).toBe(500)
  })
})

describe('a last attempt that is unfinished at the deadline', () => {
  test('is quarantined with 200; the handler keeps running, and its success discards the entry', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => pause(clock, 30 * SECOND))
    await clock.advance(50 * MINUTE)
    const last = await attempt()
    expect(last).toMatchObject({ http: 200, outcome: { status: 'quarantined', code: 'attempts_exhausted' } })
    // The last second before the deadline is reserved for the quarantine.
    expect(last.ms).toBe(3500)
    expect(quarantine.entries.size).toBe(1)
    await clock.advance(30 * SECOND)
    expect(quarantine.entries.size).toBe(0)
    expect((await attempt()).outcome.status).toBe('duplicate')
  })

  test('is quarantined with 200 while another attempt is being processed, and the success of that attempt discards the entry', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', () => pause(clock, 5 * MINUTE))
    const entries = () => [...quarantine.entries.values()].map(({ code, error }) => `${code}: ${error}`)
    await clock.advance(43 * MINUTE)
    expect((await attempt()).outcome.status).toBe('unfinished')
    expect(entries()).toEqual(['retry_pending: the handlers were still running at the deadline'])
    await clock.advance(MINUTE)
    expect((await attempt()).outcome.status).toBe('busy')
    expect(entries()).toEqual(['retry_pending: the delivery was still being processed'])
    await clock.advance(2 * MINUTE)
    expect(await attempt()).toMatchObject({ http: 200, outcome: { status: 'quarantined', code: 'attempts_exhausted' } })
    expect(entries()).toEqual(['attempts_exhausted: the delivery was still being processed'])
    await clock.advance(5 * MINUTE)
    expect(quarantine.entries.size).toBe(0)
  })

  test('stays in the quarantine with the error if its handler fails', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempt } = receiving({ quarantine })
    receiver.on('qr.scanned', async () => {
      await pause(clock, 30 * SECOND)
      throw new Error('no database')
    })
    await clock.advance(50 * MINUTE)
    await attempt()
    await clock.advance(HOUR)
    expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('no database') }])
    expect((await attempt()).outcome.status).toBe('duplicate')
  })
})

describe('a handler that crashes its process on every attempt (acceptance case 177c)', () => {
  /** Makes attempts that crash, each in its own process on a shared store, and one attempt that doesn't. */
  async function crashOn(attempts: number, quarantine?: ReturnType<typeof memoryQuarantine>, failedCompletions = 0) {
    const clock = fixedClock(EVENT_TIME)
    const store = faultyStore(memoryStore({ clock }))
    store.fail('complete', 'rejects', failedCompletions)
    let calls = 0
    let last = receiving()
    const made: Attempt[] = []
    for (const minutes of [0, 1, 6, 21, 81].slice(0, attempts + 1)) {
      await clock.advance(Date.parse(EVENT_TIME) + minutes * MINUTE - clock.now())
      const dying = fixedClock(clock.now())
      const scene = receiving({ clock: dying, store, ...(quarantine && { quarantine }) })
      const { receiver, deliver, attempt } = scene
      last = scene
      receiver.on('qr.scanned', () => {
        calls++
        return new Promise(() => {})
      })
      // A crashed process never advances its clock, so it makes no further call.
      if (made.length < attempts) void deliver()
      await clock.advance(0)
      made.push(
        ...(made.length < attempts ? [{ http: 0, ms: 0, outcome: { status: 'busy' } } as Attempt] : [await attempt()]),
      )
    }
    return { ...last, last: made.at(-1), calls: () => calls, store }
  }

  test.each([
    ['with', memoryQuarantine()],
    ['without', undefined],
  ])('is quarantined on the last attempt without being run, %s a quarantine', async (_, quarantine) => {
    const { last, calls } = await crashOn(4, quarantine)
    expect(last).toMatchObject({ http: 200, outcome: { status: 'quarantined', code: 'handler_crashed', attempt: 5 } })
    expect(calls()).toBe(4)
    if (quarantine) expect([...quarantine.entries.values()]).toMatchObject([{ code: 'handler_crashed' }])
  })

  test('is completed in the background if the store fails, and its lease ends after that', async () => {
    const { last, store, clock, deliver } = await crashOn(4, memoryQuarantine(), 1)
    expect(last).toMatchObject({ http: 200, outcome: { status: 'quarantined', code: 'handler_crashed' } })
    await clock.advance(SECOND)
    expect([store.count('complete'), clock.pendingTimers()]).toEqual([2, 0])
    expect((await deliver()).status).toBe('duplicate')
  })

  test('is run on an attempt before the last', async () => {
    const { last, calls } = await crashOn(3)
    expect(last).toMatchObject({ outcome: { status: 'unfinished', attempt: 4 } })
    expect(calls()).toBe(4)
  })
})

test('several handlers all run in order, and their failures are collected', async () => {
  const seen: string[] = []
  const { receiver, attempt } = receiving()
  receiver
    .on('qr.scanned', () => {
      seen.push('first')
      throw new Error('one')
    })
    .on('qr.*', () => void seen.push('second'))
    .on('*', () => {
      seen.push('third')
      throw new Error('two')
    })
  const { outcome } = await attempt()
  expect(seen).toEqual(['first', 'second', 'third'])
  expect(outcome).toMatchObject({ status: 'failed', error: { errors: [new Error('one'), new Error('two')] } })
})

describe('checkpoints', () => {
  test('let a retry run only the named handlers that have not finished', async () => {
    const seen: string[] = []
    const { receiver, attempts } = receiving()
    receiver
      .on('qr.scanned', () => void seen.push('mail'), { name: 'mail' })
      .on(
        'qr.scanned',
        (_, { attempt }) => {
          seen.push(`count ${attempt}`)
          if (attempt < 3) throw new Error('no database')
        },
        { name: 'count' },
      )
      .on('qr.scanned', () => void seen.push('alert'), { name: 'alert' })
    expect(responses(await attempts())).toEqual([500, 500, 200])
    expect(seen).toEqual(['mail', 'count 1', 'alert', 'count 2', 'count 3'])
  })

  test('are not kept for handlers without a name, which all run again', async () => {
    const seen: string[] = []
    const { receiver, attempts } = receiving()
    receiver
      .on('qr.scanned', () => void seen.push('mail'))
      .on('qr.scanned', (_, { attempt }) => {
        seen.push('count')
        if (attempt === 1) throw new Error('no database')
      })
    await attempts()
    expect(seen).toEqual(['mail', 'count', 'mail', 'count'])
  })

  test('survive a crash between two handlers', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const seen: string[] = []
    const dying = receiving({ clock: fixedClock(EVENT_TIME), store })
    dying.receiver.on('qr.scanned', () => void seen.push('mail'), { name: 'mail' })
    dying.receiver.on('qr.scanned', () => new Promise(() => {}), { name: 'count' })
    void dying.deliver()
    await clock.advance(MINUTE)
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => void seen.push('mail'), { name: 'mail' })
    next.receiver.on('qr.scanned', () => void seen.push('count'), { name: 'count' })
    expect((await next.deliver()).status).toBe('processed')
    expect(seen).toEqual(['mail', 'count'])
  })
})

test('a known event without a handler is ignored (acceptance case 132)', async () => {
  const { receiver, attempt } = receiving()
  receiver.on('qr.created', () => expect.unreachable())
  expect(await attempt()).toMatchObject({ http: 200, outcome: { status: 'ignored' } })
  expect(await attempt(eventOf('qr.expired'))).toMatchObject({ http: 200, outcome: { status: 'ignored' } })
})
