/** How attempts end: what is reported and written, and what is left behind. */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError, type Quarantine, type ReceiverOptions, type Store } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { faultyStore } from '../support/faulty-store.js'
import { jobOf } from '../support/handed-out.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'
import { steppedClock } from '../support/stepped-clock.js'

/** A memory store whose every result is a promise. */
function asynchronousStore(clock: ReturnType<typeof fixedClock>): Store {
  const { claim, renew, complete, release } = memoryStore({ clock })
  return {
    claim: async (request) => claim(request),
    renew: async (request) => renew(request),
    complete: async (request) => complete(request),
    release: async (request) => release(request),
  }
}

test('a PermanentError is reported as a failure of the handler, and then as quarantined', async () => {
  const { receiver, deliver, reports } = receiving({ quarantine: memoryQuarantine() })
  const error = new PermanentError('no such customer')
  receiver.on('qr.scanned', () => {
    throw error
  })
  await deliver()
  expect(reports).toMatchObject([
    { code: 'handler_failed', message: 'A handler failed (attempt 1).', error },
    { code: 'permanent_error', error },
  ])
})

test('the report of an unavailable store says that the delivery will be retried', async () => {
  const store = faultyStore(memoryStore())
  store.fail('claim', 'rejects')
  const { receiver, deliver, reports } = receiving({ store })
  receiver.on('qr.scanned', () => {})
  await deliver()
  expect(reports).toMatchObject([{ code: 'store_unavailable', message: expect.stringContaining('will be retried') }])
})

test('a handler may use the time of the response, although a later attempt would reserve some for the quarantine', async () => {
  const { clock, receiver, attempt } = receiving({ quarantine: memoryQuarantine() })
  receiver.on('qr.scanned', () => pause(clock, 4400))
  expect(await attempt()).toMatchObject({ ms: 4400, outcome: { status: 'processed' } })
})

test('an entry has the error of the handler, even if the earlier entry of the deadline takes longer to write', async () => {
  // With a quarantine, an event of this age is on its last attempt.
  const clock = fixedClock(Date.parse(EVENT_TIME) + 46 * MINUTE)
  const writeMs = [900, 0]
  const quarantine = memoryQuarantine(() => pause(clock, writeMs.shift() ?? 0))
  const { receiver, attempt } = receiving({ clock, quarantine })
  receiver.on('qr.scanned', async () => {
    await pause(clock, 3600)
    throw new Error('no database')
  })
  expect((await attempt()).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
  await clock.advance(SECOND)
  expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('no database') }])
})

test('close waits until the entry of a delivery that succeeded is discarded', async () => {
  const discarding = deferred<void>()
  const quarantine = Object.assign(async () => {}, { discard: () => discarding.promise })
  // An event of this age may have an entry.
  const clock = fixedClock(Date.parse(EVENT_TIME) + MINUTE)
  const { receiver, attempt } = receiving({ clock, quarantine })
  receiver.on('qr.scanned', () => {})
  expect((await attempt()).outcome.status).toBe('processed')
  let isClosed = false
  const closing = receiver.close().then(() => {
    isClosed = true
  })
  await clock.advance(10)
  expect(isClosed).toBe(false)
  discarding.resolve()
  await closing
})

describe('an attempt that ends in time on an asynchronous store', () => {
  it.each([
    ['succeeds', () => {}],
    ['fails', () => Promise.reject(new Error('no database'))],
  ])('and %s asks the platform to wait for nothing', async (_, handler) => {
    const clock = fixedClock(EVENT_TIME)
    const { receiver, deliver } = receiving({ clock, store: asynchronousStore(clock) })
    receiver.on('qr.scanned', handler)
    const waits: Promise<unknown>[] = []
    await deliver(undefined, { waitUntil: (work) => void waits.push(work) })
    expect(waits).toEqual([])
  })
})

describe('a job of an inbox', () => {
  const ATTEMPT = { number: 1, last: false }

  it('leaves no timer once its handler has ended in time', async () => {
    const { clock, receiver } = receiving()
    receiver.on('qr.scanned', () => pause(clock, SECOND))
    const processed = receiver.process(jobOf(), ATTEMPT)
    await clock.advance(SECOND)
    expect((await processed).status).toBe('processed')
    expect(clock.pendingTimers()).toBe(0)
  })

  it('whose claim is lost after its handler ended is reported once, by the completion that finds out', async () => {
    const clock = fixedClock(EVENT_TIME)
    const shared = memoryStore({ clock })
    const store = faultyStore(shared)
    const { receiver, reports } = receiving({ clock, store })
    let signal: AbortSignal | undefined
    receiver.on('qr.scanned', (_, context) => {
      signal = context.signal
      return pause(clock, 70 * SECOND)
    })
    store.fail('renew', 'rejects')
    store.fail('complete', 'rejects')
    const processed = receiver.process(jobOf(), ATTEMPT)
    await clock.advance(MINUTE)
    const other = receiving({ clock, store: shared })
    other.receiver.on('qr.scanned', () => {})
    expect((await other.receiver.process(jobOf(), ATTEMPT)).status).toBe('processed')
    await clock.advance(10 * SECOND)
    expect((await processed).status).toBe('processed')
    // The heartbeat learns of the loss while the completion still fails.
    store.fail('renew', 'rejects', 0)
    await clock.advance(20 * SECOND)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    store.heal()
    await clock.advance(MINUTE)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed', 'lease_lost'])
    expect([signal?.aborted, clock.pendingTimers()]).toEqual([false, 0])
  })
})

describe('an attempt of a process that was frozen longer than its lease', () => {
  /** Delivers to a process that freezes for a minute in its handler, while another process gets the retry. */
  async function freezeIn(handler: () => unknown, quarantine?: Quarantine) {
    const start = Date.parse(EVENT_TIME) + 50 * SECOND
    const [clock, sharedClock] = [steppedClock(start), fixedClock(start)]
    const shared = memoryStore({ clock: sharedClock })
    const store = faultyStore(shared)
    const frozen = receiving({ clock, store, ...(quarantine && { quarantine }) })
    frozen.receiver.on('qr.scanned', () => {
      clock.freeze(MINUTE)
      sharedClock.set(sharedClock.now() + MINUTE)
      void receiving({ clock: sharedClock, store: shared })
        .receiver.on('qr.scanned', () => {})
        .receive(deliveryOf())
      return handler()
    })
    const delivered = frozen.deliver()
    await clock.advance(0)
    return { outcome: await delivered, store }
  }

  it('has succeeded if its handler did, and the store isn’t asked about the claim', async () => {
    const { outcome, store } = await freezeIn(() => {}, memoryQuarantine())
    expect([outcome.status, store.count('renew')]).toEqual(['processed', 0])
  })

  it('has failed without a quarantine, and the store isn’t asked about the claim', async () => {
    const { outcome, store } = await freezeIn(() => {
      throw new Error('no database')
    })
    expect([outcome.status, store.count('renew'), store.count('release')]).toEqual(['failed', 0, 1])
  })

  it('is unfinished if its handler still runs when the deadline has passed', async () => {
    const { outcome } = await freezeIn(() => new Promise(() => {}), memoryQuarantine())
    expect(outcome.status).toBe('unfinished')
  })
})

test('the outcome of a handler that ends after the response is marked as late', async () => {
  const seen: unknown[] = []
  const onOutcome: ReceiverOptions['onOutcome'] = ({ status, late, durationMs }) =>
    void seen.push([status, late, durationMs])
  const { clock, receiver, attempt } = receiving({ onOutcome })
  receiver.on('qr.scanned', () => pause(clock, 10 * SECOND))
  await attempt()
  await clock.advance(10 * SECOND)
  expect(seen).toEqual([
    ['unfinished', false, 4500],
    ['processed', true, 10 * SECOND],
  ])
})
