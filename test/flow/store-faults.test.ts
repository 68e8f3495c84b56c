/** A store that fails: part H of the acceptance list, in one process. */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, type QuarantineEntry, type Store } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

function open(options: Parameters<typeof receiving>[0] = {}) {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  return { store, ...receiving({ ...options, clock, store }) }
}

describe('a claim', () => {
  it.each([
    ['throws', 0],
    ['rejects', 0],
    ['hangs', 4400],
    ['returns garbage', 0],
    ['succeeds but rejects', 0],
    ['succeeds but hangs', 4400],
  ] as const)(
    'that %s gets a 503 after %i ms without running a handler, and the retry is processed (acceptance cases 155 to 159)',
    async (fault, ms) => {
      let calls = 0
      const { receiver, store, attempts, reports, clock } = open()
      receiver.on('qr.scanned', () => void calls++)
      store.fail('claim', fault, 1)
      const made = await attempts()
      expect(made.map(({ outcome }) => outcome.status)).toEqual(['unavailable', 'processed'])
      expect(made[0]).toMatchObject({
        http: 503,
        ms,
        outcome: { code: fault === 'returns garbage' ? 'store_corrupt' : 'store_unavailable' },
      })
      expect(reports[0]).toMatchObject({
        code: made[0]?.outcome.status === 'unavailable' && made[0].outcome.code,
        eventType: 'qr.scanned',
      })
      expect([calls, clock.pendingTimers()]).toEqual([1, 0])
    },
  )

  test('that was recorded but not confirmed does not make the retry busy (acceptance cases 157 and 159)', async () => {
    const { receiver, store, attempts } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('claim', 'succeeds but hangs', 1)
    expect((await attempts()).map(({ outcome }) => outcome.status)).toEqual(['unavailable', 'processed'])
  })

  /** A receiver whose store claims at once but takes `claimMs` for its first response. */
  function openSlow(claimMs: number) {
    const clock = fixedClock(EVENT_TIME)
    const inner = memoryStore({ clock })
    let claims = 0
    const store: Store = {
      ...inner,
      async claim(request) {
        const claimed = inner.claim(request)
        if (++claims === 1) await pause(clock, claimMs)
        return claimed
      },
    }
    const scene = receiving({ clock, store })
    scene.receiver.on('qr.scanned', () => {})
    return scene
  }

  it.each([1500, 4390])('whose response takes %i ms is waited for, and the delivery is processed', async (claimMs) => {
    const { attempt, reports, clock } = openSlow(claimMs)
    expect(await attempt()).toMatchObject({ http: 200, ms: claimMs, outcome: { status: 'processed', attempt: 1 } })
    expect([reports, clock.pendingTimers()]).toEqual([[], 0])
  })

  test('whose response arrives after its limit is released at once and not counted, so the retry is attempt 1 (acceptance case 159)', async () => {
    const { attempt, clock } = openSlow(4410)
    expect(await attempt()).toMatchObject({ http: 503, ms: 4400 })
    expect((await attempt()).outcome.status).toBe('busy')
    await clock.advance(10)
    expect((await attempt()).outcome).toMatchObject({ status: 'processed', attempt: 1 })
  })

  test('that always fails gets 503 on every attempt, and no handler runs', async () => {
    const { receiver, store, attempts, reported } = open()
    receiver.on('qr.scanned', () => expect.unreachable())
    store.fail('claim', 'rejects')
    expect((await attempts()).map(({ http }) => http)).toEqual([503, 503, 503, 503, 503])
    expect(reported('store_unavailable')).toBe(5)
  })

  test('that hangs together with a slow quarantine gets a 503 within 4.6 s, and a late entry is kept (acceptance case 156)', async () => {
    let isSlow = true
    const quarantine = memoryQuarantine()
    const sink = Object.assign(
      async (entry: QuarantineEntry) => {
        if (isSlow) await pause(clock, 900)
        return quarantine(entry)
      },
      { discard: quarantine.discard },
    )
    const { receiver, store, attempt, clock } = open({ quarantine: sink })
    receiver.on('qr.scanned', () => {})
    await clock.advance(6 * MINUTE)
    store.fail('claim', 'hangs', 1)
    const kept: Promise<unknown>[] = []
    const made = await attempt(undefined, { waitUntil: (work) => void kept.push(work) })
    expect(made).toMatchObject({ http: 503, ms: 4500, outcome: { code: 'store_unavailable' } })
    expect([quarantine.codes, kept.length]).toEqual([[], 2])
    await clock.advance(SECOND)
    expect(quarantine.codes).toEqual(['retry_pending'])
    isSlow = false
    expect((await attempt()).outcome.status).toBe('processed')
    expect(quarantine.entries.size).toBe(0)
  })

  test('that hangs: close waits for an entry that is still being written after the response', async () => {
    const quarantine = memoryQuarantine(() => pause(clock, 900))
    const { receiver, store, attempt, clock } = open({ quarantine })
    receiver.on('qr.scanned', () => {})
    await clock.advance(6 * MINUTE)
    store.fail('claim', 'hangs', 1)
    expect(await attempt()).toMatchObject({ http: 503, ms: 4500 })
    let isClosed = false
    void receiver.close().then(() => {
      isClosed = true
    })
    // The entry was begun at 4,400 ms and takes 900.
    await clock.advance(799)
    expect(isClosed).toBe(false)
    await clock.advance(1)
    expect([isClosed, quarantine.codes]).toEqual([true, ['retry_pending']])
  })

  test('that always fails is quarantined from the second attempt on, and the last attempt gets 200', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, store, attempts } = open({ quarantine })
    receiver.on('qr.scanned', () => expect.unreachable())
    store.fail('claim', 'rejects')
    const made = await attempts()
    expect(made.map(({ http }) => http)).toEqual([503, 503, 503, 503, 200])
    expect(quarantine.codes).toEqual(['retry_pending', 'retry_pending', 'retry_pending', 'attempts_exhausted'])
    expect(quarantine.entries.size).toBe(1)
  })
})

describe('a completion', () => {
  it.each([
    ['throws', 0, 0],
    ['rejects', 0, 0],
    ['hangs', 1000, 4500],
    ['returns garbage', 0, 0],
    ['succeeds but rejects', 0, 0],
    ['succeeds but hangs', 1000, 4500],
  ] as const)(
    'that %s once: 200 after %i ms, reported at %i ms and then written again, and the handler runs once (acceptance cases 160, 162)',
    async (fault, ms, reportedMs) => {
      let calls = 0
      const { receiver, store, attempt, reported, clock } = open()
      receiver.on('qr.scanned', () => void calls++)
      store.fail('complete', fault, 1)
      expect(await attempt()).toMatchObject({ http: 200, ms, outcome: { status: 'processed' } })
      if (reportedMs > ms) {
        await clock.advance(reportedMs - ms - 1)
        expect(reported('completion_delayed')).toBe(0)
        await clock.advance(1)
      }
      expect([reported('completion_delayed'), store.count('complete')]).toEqual([1, 1])
      await clock.advance(250)
      expect(store.count('complete')).toBe(2)
      expect((await attempt()).outcome.status).toBe('duplicate')
      expect([calls, reported('completion_delayed'), clock.pendingTimers()]).toEqual([1, 1, 0])
    },
  )

  test('that fails for ten minutes gets 200 at once and is retried under its lease (acceptance case 161)', async () => {
    let calls = 0
    const { receiver, store, attempt, reports, clock } = open()
    receiver.on('qr.scanned', () => void calls++)
    store.fail('complete', 'rejects')
    expect(await attempt()).toMatchObject({ http: 200, ms: 0 })
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(MINUTE)
      // An attempt meanwhile finds the claim held, so the handler isn't run again.
      expect((await attempt()).outcome.status).toBe(minute < 3 ? 'busy' : 'quarantined')
    }
    expect(store.count('renew')).toBeGreaterThan(50)
    expect(store.count('complete')).toBeGreaterThan(50)
    store.heal()
    await clock.advance(15 * SECOND)
    expect((await attempt()).outcome.status).toBe('duplicate')
    expect(calls).toBe(1)
    expect(reports.filter(({ code }) => code === 'completion_delayed')).toHaveLength(1)
    expect(reports.map(({ code }) => code)).not.toContain('lease_lost')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('that fails for two hours is abandoned, and that is reported', async () => {
    const { receiver, store, deliver, reported, reports, clock } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('complete', 'rejects')
    expect((await deliver()).status).toBe('processed')
    await clock.advance(121 * MINUTE)
    expect([reported('completion_abandoned'), clock.pendingTimers()]).toEqual([1, 0])
    expect(reports.map(({ message }) => message)).toEqual([
      expect.stringContaining('written again in the background'),
      expect.stringContaining('may process the event again'),
    ])
  })

  test('that is retried renews no lease on a platform that freezes after the response', async () => {
    const { receiver, store, attempt, clock } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('complete', 'rejects', 1)
    await attempt(undefined, { freezesAfterResponse: true })
    await clock.advance(SECOND)
    expect(store.calls).toEqual(['claim', 'complete', 'complete'])
  })

  test('that arrives after another claim is reported once as lease_lost, without an abort', async () => {
    const { receiver, store, attempt, reports, clock } = open()
    receiver.on('qr.scanned', () => {})
    store.fail('complete', 'rejects')
    store.fail('renew', 'rejects')
    await attempt()
    await clock.advance(56 * SECOND)
    store.heal()
    expect((await attempt()).outcome).toMatchObject({ status: 'processed', attempt: 2 })
    await clock.advance(MINUTE)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed', 'lease_lost'])
    expect(reports[1]?.message).toContain('may be processed twice')
  })

  test('that was recorded but not confirmed is not reported as a lost claim by the heartbeat', async () => {
    const { receiver, store, attempt, reports, clock } = open()
    receiver.on('qr.scanned', () => pause(clock, 12 * SECOND))
    store.fail('complete', 'succeeds but hangs', 1)
    await attempt()
    await clock.advance(30 * SECOND)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    expect((await attempt()).outcome.status).toBe('duplicate')
  })
})

describe('a release', () => {
  it.each(['throws', 'rejects', 'hangs', 'returns garbage', 'succeeds but rejects', 'succeeds but hangs'] as const)(
    'that %s after a failed handler gets 500, and the retry is processed (acceptance case 163)',
    async (fault) => {
      let calls = 0
      const { receiver, store, attempts, clock } = open()
      receiver.on('qr.scanned', () => {
        if (++calls === 1) throw new Error('no database')
      })
      store.fail('release', fault, 1)
      const made = await attempts()
      expect(made.map(({ http }) => http)).toEqual([500, 200])
      expect(made[0]?.ms).toBeLessThanOrEqual(1010)
      expect([calls, clock.pendingTimers()]).toEqual([2, 0])
    },
  )

  /** A handler that fails after `failsMs`, and a store whose release takes `takesMs`. */
  function slow(failsMs: number, takesMs: number) {
    const clock = fixedClock(EVENT_TIME)
    const inner = memoryStore({ clock })
    const state = { released: false }
    const store: Store = {
      ...inner,
      async release(request) {
        await pause(clock, takesMs)
        state.released = true
        return inner.release(request)
      },
    }
    const scene = receiving({ clock, store })
    scene.receiver.on('qr.scanned', async () => {
      await pause(clock, failsMs)
      throw new Error('no database')
    })
    return { ...scene, state }
  }

  test('is awaited before the response if there is time, so that the next attempt finds no claim', async () => {
    const { attempt, state } = slow(100, 300)
    const made = await attempt(undefined, { waitUntil: () => expect.unreachable() })
    expect([made.http, made.ms, state.released]).toEqual([500, 400, true])
  })

  test('that takes longer than the response may continues in the background, and the platform and close wait for it', async () => {
    const { receiver, attempt, state, clock } = slow(4400, 500)
    const kept: Promise<unknown>[] = []
    const made = await attempt(undefined, { waitUntil: (work) => void kept.push(work) })
    expect([made.http, made.ms, state.released, kept.length]).toEqual([500, 4500, false, 1])
    const seen = [...kept, receiver.close()].map((ended) => ended.then(() => state.released))
    await clock.advance(400)
    expect(await Promise.all(seen)).toEqual([true, true])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('is sent even by an attempt that fails in its last milliseconds, so that it does not look like a crash', async () => {
    const { receiver, store, attempts, clock } = open()
    receiver.on('qr.scanned', async () => {
      await pause(clock, 4495)
      throw new Error('no database')
    })
    const made = await attempts()
    expect(made.at(-1)?.outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    expect(store.count('release')).toBe(4)
  })
})

describe('a lease that expires while its handler runs (acceptance case 164)', () => {
  async function takenOver() {
    const signals: AbortSignal[] = []
    const scene = open()
    let calls = 0
    scene.receiver.on('qr.scanned', async (_, { signal }) => {
      signals.push(signal)
      if (++calls === 1) await pause(scene.clock, 3 * MINUTE)
    })
    scene.store.fail('renew', 'hangs')
    await scene.attempt()
    await scene.clock.advance(MINUTE)
    const second = await scene.attempt()
    return { ...scene, signals, second, calls: () => calls }
  }

  test('lets the next attempt process the delivery', async () => {
    const { second, calls } = await takenOver()
    expect(second.outcome).toMatchObject({ status: 'processed', attempt: 2 })
    expect(calls()).toBe(2)
  })

  test('the signal of the first handler aborts once the store responds again, and that is reported', async () => {
    const { store, clock, signals, reported, reports } = await takenOver()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    store.heal()
    // A heartbeat that hangs takes 4.5 s, and the next one follows 10 s later.
    await clock.advance(15 * SECOND)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(signals[0]?.reason).toMatchObject({ code: 'lease_lost' })
    expect(reported('lease_lost')).toBe(1)
    expect(reports).toMatchObject([{ message: expect.stringContaining('aborted'), eventType: 'qr.scanned' }])
  })

  test('makes the late completion change nothing, and that is reported', async () => {
    const { store, clock, attempt, reported } = await takenOver()
    store.heal()
    await clock.advance(5 * MINUTE)
    expect((await attempt()).outcome.status).toBe('duplicate')
    expect([reported('lease_lost'), reported('completion_delayed')]).toEqual([2, 0])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('makes the late release leave the other claim alone, and that is reported', async () => {
    const { receiver, store, clock, attempt, reported, reports } = open()
    let calls = 0
    receiver.on('qr.scanned', async () => {
      calls++
      if (calls === 1) {
        // The claim is lost at 56 s, and no heartbeat finds out before 62.5 s.
        await pause(clock, 62 * SECOND)
        throw new Error('late')
      }
      await pause(clock, 5 * MINUTE)
    })
    store.fail('renew', 'hangs')
    await attempt()
    await clock.advance(51_500)
    store.heal()
    expect((await attempt()).outcome.status).toBe('unfinished')
    await clock.advance(10 * SECOND)
    expect(store.count('release')).toBe(1)
    expect(reported('lease_lost')).toBe(1)
    expect(reports.at(-1)).toMatchObject({
      code: 'lease_lost',
      message: expect.stringContaining('failed attempt'),
      eventType: 'qr.scanned',
    })
    expect((await attempt()).outcome.status).toBe('busy')
    expect(calls).toBe(2)
  })
})

test('100,000 unauthenticated requests make no store call (acceptance case 175)', async () => {
  const { receiver, store } = open()
  receiver.on('*', () => {})
  const body = new TextEncoder().encode(JSON.stringify(scannedEvent()))
  for (let count = 0; count < 100_000; count++) {
    const digits = count.toString(16).padStart(64, '0')
    await receiver.receive({
      method: 'POST',
      header: (name) => (name === 'x-govalid-signature' ? `sha256=${digits}` : undefined),
      body,
    })
  }
  expect(store.calls).toEqual([])
})

test('a full store reports store_evicting, and every delivery is processed (acceptance case 154)', async () => {
  const clock = fixedClock(EVENT_TIME)
  const { receiver, deliver, reported } = receiving({ clock, store: memoryStore({ maxKeys: 10, clock }) })
  receiver.on('qr.scanned', () => {})
  for (let count = 0; count < 20; count++) {
    const outcome = await deliver(scannedEvent({ data: { ...scannedEvent().data, scan_count: count } }))
    expect(outcome.status).toBe('processed')
  }
  expect(reported('store_evicting')).toBe(1)
})
