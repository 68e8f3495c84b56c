/** How long each call may take: the time left before the response minus a reserve, or 4.5 s in the background. */
import { describe, expect, it, test } from 'vitest'
import { type Inbox, memoryStore, type ReceiverOptions, type Store } from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { entryOf, jobOf } from '../support/handed-out.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'
import { bodyAfter, respond } from '../support/respond.js'

type StoreRequest = { readonly waitMs?: number }

/** A store that records the name and the `waitMs` of every call. */
function recordingStore(inner: Store): Store & { readonly calls: readonly string[] } {
  const calls: string[] = []
  const record = (name: string, { waitMs }: StoreRequest) => void calls.push(`${name} ${waitMs}`)
  return {
    calls,
    claim(request) {
      record('claim', request)
      return inner.claim(request)
    },
    renew(request) {
      record('renew', request)
      return inner.renew(request)
    },
    complete(request) {
      record('complete', request)
      return inner.complete(request)
    },
    release(request) {
      record('release', request)
      return inner.release(request)
    },
  }
}

/** A receiver whose store records its calls, for an event that is `ageMs` old. */
function open(options: Partial<ReceiverOptions> = {}, ageMs = 0, wrap = (store: Store) => store) {
  const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
  const store = recordingStore(wrap(memoryStore({ clock })))
  return { store, ...receiving({ ...options, clock, store }) }
}

describe('a claim may wait', () => {
  const quarantine = memoryQuarantine()
  const secretAfter900 = (clock: FixedClock) => () => pause(clock, 900).then(() => 'your_webhook_secret')

  it.each<[string, Partial<ReceiverOptions>, number, number]>([
    ['4,400 ms on a first attempt', {}, 0, 4400],
    ['4,400 ms on a first attempt with a quarantine', { quarantine }, 0, 4400],
    ['4,400 ms if the event is 45 minutes old', { quarantine }, 45 * MINUTE, 4400],
    ['3,500 ms if the event is older, because the quarantine needs a second', { quarantine }, 45 * MINUTE + 1, 3500],
    ['4,400 ms if the event is older and there is no quarantine', {}, 45 * MINUTE + 1, 4400],
    ['nine tenths of a short deadline', { deadlineMs: 500 }, 0, 450],
    ['three quarters of a short deadline on a last attempt', { deadlineMs: 1000, quarantine }, 50 * MINUTE, 750],
  ])('%s', async (_, options, ageMs, waitMs) => {
    const { receiver, deliver, store } = open(options, ageMs)
    receiver.on('qr.scanned', () => {})
    await deliver()
    expect(store.calls[0]).toBe(`claim ${waitMs}`)
  })

  it.each([
    ['on a first attempt', 0, 1100],
    ['on a last attempt', 50 * MINUTE, 200],
  ])('only the time that a slow body and a slow secret have left %s', async (_, ageMs, waitMs) => {
    const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
    const store = recordingStore(memoryStore({ clock }))
    const { receiver, attempt } = receiving({ clock, store, quarantine, secret: secretAfter900(clock) })
    receiver.on('qr.scanned', () => {})
    expect((await attempt(undefined, bodyAfter(clock, 2400))).outcome.status).toBe('processed')
    expect(store.calls[0]).toBe(`claim ${waitMs}`)
  })

  test('not at all if no time is left: the store is not called, and GoValid gets a 503', async () => {
    const { receiver, clock, store, reports } = open({ deadlineMs: 1000 })
    receiver.on('qr.scanned', () => expect.unreachable())
    const pending = receiver.receive(deliveryOf(undefined, bodyAfter(clock, 900)))
    expect(await respond(clock, pending)).toMatchObject({ outcome: { code: 'store_unavailable' }, ms: 900 })
    expect([store.calls, reports.map(({ code }) => code)]).toEqual([[], ['store_unavailable']])
  })

  test('4,500 ms for a job of an inbox, also on its last attempt', async () => {
    const { receiver, store } = open({ quarantine }, 50 * MINUTE)
    receiver.on('qr.scanned', () => {})
    await receiver.process(jobOf(), { number: 5, last: true })
    expect(store.calls).toEqual(['claim 4500', 'complete 4500'])
  })

  test('4,500 ms for an entry of the quarantine', async () => {
    const { receiver, store } = open({ quarantine }, 50 * MINUTE)
    receiver.on('qr.scanned', () => {})
    await receiver.reprocess(entryOf())
    expect(store.calls).toEqual(['claim 4500', 'complete 4500'])
  })
})

describe('4,500 ms are passed to', () => {
  test('a completion', async () => {
    const { receiver, deliver, store } = open()
    receiver.on('qr.scanned', () => {})
    await deliver()
    expect(store.calls).toEqual(['claim 4400', 'complete 4500'])
  })

  test('a release', async () => {
    const { receiver, deliver, store } = open()
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    await deliver()
    expect(store.calls).toEqual(['claim 4400', 'release 4500'])
  })

  test('a heartbeat', async () => {
    const { receiver, attempt, store, clock } = open()
    receiver.on('qr.scanned', () => pause(clock, 12 * SECOND))
    await attempt()
    await clock.advance(10 * SECOND)
    expect(store.calls).toEqual(['claim 4400', 'renew 4500', 'complete 4500'])
  })

  test('a checkpoint', async () => {
    const { receiver, deliver, store } = open()
    receiver.on('qr.scanned', () => {}, { name: 'count' }).on('qr.scanned', () => {}, { name: 'mail' })
    await deliver()
    expect(store.calls).toEqual(['claim 4400', 'renew 4500', 'complete 4500'])
  })

  test('the release of a claim that arrived late', async () => {
    let clock = fixedClock(0)
    const scene = open({}, 0, (inner) => ({
      ...inner,
      claim: (request) => pause(clock, 5 * SECOND).then(() => inner.claim(request)),
    }))
    clock = scene.clock
    scene.receiver.on('qr.scanned', () => expect.unreachable())
    expect((await scene.attempt()).http).toBe(503)
    await clock.advance(SECOND)
    expect(scene.store.calls).toEqual(['claim 4400', 'release 4500'])
  })

  test('a completion that is written again', async () => {
    const { receiver, deliver, store, clock } = open({}, 0, (inner) => {
      const faulty = faultyStore(inner)
      faulty.fail('complete', 'rejects', 1)
      return faulty
    })
    receiver.on('qr.scanned', () => {})
    await deliver()
    await clock.advance(SECOND)
    expect(store.calls).toEqual(['claim 4400', 'complete 4500', 'renew 4500', 'complete 4500'])
  })
})

describe('a last attempt whose claim is not confirmed', () => {
  const hang = () => new Promise<never>(() => {})
  const refuse = () => Promise.reject(new Error('connection refused'))

  it.each<[string, () => Promise<never>, () => Promise<void>, number]>([
    ['hangs, and so does the quarantine', hang, hang, 4500],
    ['hangs, and the quarantine rejects', hang, refuse, 3500],
    ['is rejected, and the quarantine hangs', refuse, hang, 4500],
    ['is rejected, and so is the entry', refuse, refuse, 0],
  ])('because it %s: 503 with the code of the quarantine', async (_, claim, quarantine, ms) => {
    const { receiver, clock, reports } = open({ quarantine }, 50 * MINUTE, (inner) => ({ ...inner, claim }))
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await respond(clock, receiver.receive(deliveryOf()))).toMatchObject({
      outcome: { status: 'unavailable', code: 'quarantine_unavailable' },
      ms,
    })
    expect(reports.map(({ code }) => code)).toEqual(['store_unavailable', 'quarantine_unavailable'])
  })

  it.each([
    ['999 ms', 999, 'quarantined', 4499],
    ['at most a second', 1001, 'unavailable', 4500],
  ])('because it hangs: the quarantine may take %s', async (_, entryMs, status, ms) => {
    const quarantine = memoryQuarantine(() => pause(clock, entryMs))
    const { receiver, clock } = open({ quarantine }, 50 * MINUTE, (inner) => ({ ...inner, claim: hang }))
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await respond(clock, receiver.receive(deliveryOf()))).toMatchObject({ outcome: { status }, ms })
  })

  test('by an inbox that hangs: the quarantine gets the same second', async () => {
    const quarantine = memoryQuarantine(() => pause(clock, 999))
    const inbox: Inbox = { accept: hang }
    const { receiver, clock } = open({ quarantine, inbox }, 50 * MINUTE)
    expect(await respond(clock, receiver.receive(deliveryOf()))).toMatchObject({
      outcome: { status: 'quarantined', code: 'attempts_exhausted' },
      ms: 4499,
    })
  })
})

test('a last attempt whose handler blocks the event loop past the deadline and then fails is quarantined', async () => {
  const quarantine = memoryQuarantine()
  const { receiver, clock } = open({ quarantine }, 50 * MINUTE)
  receiver.on('qr.scanned', () => {
    clock.set(clock.now() + 6 * SECOND)
    throw new Error('no database')
  })
  const { outcome } = await respond(clock, receiver.receive(deliveryOf()))
  expect(['quarantined', 'unavailable']).toContain(outcome.status)
  await clock.advance(MINUTE)
  expect(quarantine.codes).toEqual(['attempts_exhausted'])
})
