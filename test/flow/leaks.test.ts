/**
 * Everything that a delivery acquires is released: timers, listeners and the delivery itself, also after time limits and after `close`.
 */
import { createHmac } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import {
  createReceiver,
  type Delivery,
  type Inbox,
  memoryStore,
  type Receiver,
  type ReceiverOptions,
  type Store,
} from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { collectGarbage } from '../support/garbage.js'
import { EVENT_TIME } from '../support/payloads.js'
import { HOUR, MINUTE, pause, SECOND } from '../support/receiving.js'

const SECRET = 'your_webhook_secret'
const MIB = 2 ** 20

const never = () => new Promise<never>(() => {})
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What a receiver is made of, apart from its clock. Hooks that do nothing keep nothing. */
type Options = Partial<ReceiverOptions>

function openReceiver(clock: FixedClock, options: Options = {}): Receiver {
  const hooks: Options = { onError: () => {}, onOutcome: () => {} }
  const store = memoryStore({ clock, maxKeys: 1000 })
  return createReceiver({ secret: SECRET, store, ...hooks, ...options, clock }) as Receiver
}

/** A signed delivery that differs from every other one. `bytes`: the size of its body. */
function numbered(count: number, bytes = 300): Delivery {
  const padding = 'x'.repeat(Math.max(0, bytes - 150))
  const text = `{"event":"qr.scanned","webhook_id":"wh-001","timestamp":"${EVENT_TIME}","data":{"scan_count":${count},"pad":"${padding}"}}`
  const body = new TextEncoder().encode(text)
  const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
  return { method: 'POST', header: (name) => (name === 'x-govalid-signature' ? signature : undefined), body }
}

/** Collects garbage until nothing more is freed. */
async function usedBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await settle()
    collectGarbage()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Follows objects without keeping them. */
function follow() {
  const references: WeakRef<object>[] = []
  return {
    add: (...objects: readonly object[]) => void references.push(...objects.map((object) => new WeakRef(object))),
    count: () => references.length,
    /** Collects garbage as long as that frees some of them. A leak is never freed. */
    async alive(): Promise<number> {
      for (let before = references.length + 1; ; ) {
        await usedBytes()
        const count = references.filter((reference) => reference.deref() !== undefined).length
        if (count === 0 || count >= before) return count
        before = count
      }
    },
  }
}

/** The latest objects may still be on the stack. */
const FEW = 5
/** Far more than those. */
const MIN_FOLLOWED = 40

describe('leaves no timer and no memory:', { timeout: 120_000 }, () => {
  const WARM_UP = 5000
  /** More than the noise, and less than the smallest object for each delivery. */
  const BYTES_EACH = 32
  const FAILURE = new Error('no database')

  const acceptNothing: Inbox = { accept: async () => {} }
  const quarantine = Object.assign(async () => {}, { discard: async () => {} })

  interface Kind {
    readonly name: string
    /** Default: 20,000. */
    readonly count?: number
    readonly options?: (clock: FixedClock) => Options
    readonly handler?: () => unknown
    /** The age of the events, in milliseconds. */
    readonly ageMs?: number
    readonly deliver?: (receiver: Receiver, count: number) => Promise<unknown>
  }

  const asynchronous = (inner: Store): Store => ({
    claim: async (request) => inner.claim(request),
    renew: async (request) => inner.renew(request),
    complete: async (request) => inner.complete(request),
    release: async (request) => inner.release(request),
  })

  const KINDS: readonly Kind[] = [
    { name: '100,000 deliveries with synchronous parts', count: 100_000 },
    {
      name: '100,000 deliveries with an asynchronous store and handler',
      count: 100_000,
      options: (clock) => ({ store: asynchronous(memoryStore({ clock, maxKeys: 1000 })) }),
      handler: async () => {},
    },
    {
      name: 'deliveries that fail and are quarantined early',
      options: () => ({ quarantine }),
      handler: () => Promise.reject(FAILURE),
      ageMs: MINUTE,
    },
    { name: 'deliveries that succeed and leave the quarantine', options: () => ({ quarantine }), ageMs: MINUTE },
    { name: 'deliveries that an inbox accepts', options: () => ({ inbox: acceptNothing }) },
    {
      name: 'deliveries that an inbox hands out',
      handler: async () => {},
      deliver: (receiver, count) => receiver.process(toJob(count), { number: 1, last: false }),
    },
    {
      name: 'deliveries that are forged',
      deliver: (receiver, count) => receiver.receive({ ...numbered(count), body: 'forged' }),
    },
    {
      name: 'deliveries whose secret, schema and key are functions',
      options: () => ({
        secret: async () => SECRET,
        idempotencyKey: ({ payload }) => JSON.stringify(payload['data']),
        schemas: {
          'qr.scanned': {
            '~standard': { version: 1, vendor: 'test', validate: async (value: unknown) => ({ value }) },
          },
        } as never,
      }),
    },
  ]

  function toJob(count: number) {
    const { body, header } = numbered(count)
    const headers = { 'x-govalid-signature': header('x-govalid-signature') as string }
    return { key: String(count), rawBody: body as Uint8Array, headers, receivedAt: Date.parse(EVENT_TIME) }
  }

  it.each(KINDS)('$name', async ({ count: total = 20_000, options, handler = () => {}, ageMs = 0, deliver }) => {
    const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
    const receiver = openReceiver(clock, options?.(clock)).on('qr.scanned', handler)
    const run = deliver ?? ((to: Receiver, count: number) => to.receive(numbered(count)))
    for (let count = 0; count < WARM_UP; count++) await run(receiver, count)
    const before = await usedBytes()
    for (let count = 0; count < total; count++) await run(receiver, WARM_UP + count)
    expect(clock.pendingTimers()).toBe(0)
    expect((await usedBytes()) - before, 'bytes').toBeLessThan(total * BYTES_EACH)
    expect((await receiver.status()).processing).toBe(0)
  })
})

describe('deliveries whose handlers never end', { timeout: 60_000 }, () => {
  const COUNT = 200
  /** Together more than twice the limit below. */
  const BODY_BYTES = 64 * 1024

  /** Starts deliveries with large bodies, and follows what their handlers got. */
  async function startHanging(options: Options = {}, { ageMs = 0, total = COUNT } = {}) {
    const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
    const followed = follow()
    const receiver = openReceiver(clock, options).on('qr.scanned', (event, context) => {
      followed.add(event, context, context.rawBody, context.signal)
      return never()
    })
    const before = await usedBytes()
    const start = async (run: (delivery: Delivery, count: number) => Promise<unknown>) => {
      for (let count = 0; count < total; count++) {
        const delivery = numbered(count, BODY_BYTES)
        followed.add(delivery)
        void run(delivery, count)
      }
      await clock.advance(0)
    }
    return { clock, receiver, followed, before, start }
  }

  async function expectReleased({ clock, receiver, followed, before }: Awaited<ReturnType<typeof startHanging>>) {
    expect(clock.pendingTimers(), 'pending timers').toBe(0)
    expect(followed.count()).toBeGreaterThanOrEqual(MIN_FOLLOWED)
    expect(await followed.alive(), 'objects that are still alive').toBeLessThanOrEqual(FEW)
    expect((await usedBytes()) - before, 'bytes').toBeLessThan(5 * MIB)
    expect((await receiver.status()).processing).toBe(0)
  }

  test('are released once they time out', async () => {
    const scene = await startHanging()
    await scene.start((delivery) => scene.receiver.receive(delivery))
    await scene.clock.advance(16 * MINUTE)
    await expectReleased(scene)
  })

  test('are released once they time out before the response', async () => {
    const scene = await startHanging({ handlerTimeoutMs: 2000 })
    await scene.start((delivery) => scene.receiver.receive(delivery))
    await scene.clock.advance(2 * SECOND)
    await expectReleased(scene)
  })

  test('are released on a platform that freezes after the response', async () => {
    const scene = await startHanging()
    const platform = { freezesAfterResponse: true, waitUntil: () => {} }
    await scene.start((delivery) => scene.receiver.receive({ ...delivery, ...platform }))
    await scene.clock.advance(16 * MINUTE)
    await expectReleased(scene)
  })

  test('are released with a quarantine that hangs as well', async () => {
    const quarantine = Object.assign(never, { discard: never })
    const scene = await startHanging({ quarantine }, { ageMs: MINUTE, total: 20 })
    await scene.start((delivery) => scene.receiver.receive(delivery))
    // An entry is written again for two hours.
    await scene.clock.advance(3 * HOUR)
    await expectReleased(scene)
  })

  test('are released if an inbox handed them out', async () => {
    const scene = await startHanging()
    await scene.start(({ body, header }, count) => {
      const headers = { 'x-govalid-signature': header('x-govalid-signature') as string }
      const job = { key: String(count), rawBody: body as Uint8Array, headers, receivedAt: Date.parse(EVENT_TIME) }
      return scene.receiver.process(job, { number: 1, last: false })
    })
    await scene.clock.advance(16 * MINUTE)
    await expectReleased(scene)
  })

  test.each([
    ['before the response', 1000],
    ['after the response', 10_000],
  ])('are released by close with a time limit %s', async (_, afterMs) => {
    const scene = await startHanging()
    await scene.start((delivery) => scene.receiver.receive(delivery))
    await scene.clock.advance(afterMs)
    const closing = scene.receiver.close({ timeoutMs: 200 })
    await scene.clock.advance(200)
    await closing
    await scene.clock.advance(5 * SECOND)
    expect(scene.clock.pendingTimers(), 'pending timers').toBe(0)
    expect(await scene.followed.alive(), 'objects that are still alive').toBeLessThanOrEqual(FEW)
    expect((await usedBytes()) - scene.before, 'bytes').toBeLessThan(5 * MIB)
  })
})

describe('deliveries are released', { timeout: 60_000 }, () => {
  type Change = (clock: FixedClock, inner: Store) => { options?: Options; delivery?: () => Partial<Delivery> }

  it.each<[string, Change, number, number?]>([
    ['whose claim never arrives', (_, inner) => ({ options: { store: { ...inner, claim: never } } }), MINUTE],
    [
      'whose claim arrives late',
      (clock, inner) => ({
        options: {
          store: { ...inner, claim: (request) => pause(clock, 6 * SECOND).then(() => inner.claim(request)) },
        },
      }),
      MINUTE,
    ],
    [
      'whose completion is never confirmed',
      (_, inner) => ({ options: { store: { ...inner, complete: never } } }),
      3 * HOUR,
      20,
    ],
    ['whose secret never arrives', () => ({ options: { secret: never } }), MINUTE],
    ['whose inbox never confirms', () => ({ options: { inbox: { accept: never } } }), MINUTE],
    ['whose body never arrives', () => ({ delivery: () => ({ body: { read: () => () => {} } }) }), MINUTE],
    [
      'whose body is a stream that never ends',
      () => ({ delivery: () => ({ body: new ReadableStream<Uint8Array>({ pull: never }) }) }),
      MINUTE,
    ],
    ['whose platform keeps promises', () => ({ delivery: () => ({ waitUntil: () => {} }) }), MINUTE],
    ['whose hooks never end', () => ({ options: { onOutcome: never, onError: never } }), MINUTE],
  ])('%s', async (_, change, laterMs, total = 1000) => {
    const clock = fixedClock(EVENT_TIME)
    const { options, delivery } = change(clock, memoryStore({ clock, maxKeys: 1000 }))
    const receiver = openReceiver(clock, options).on('qr.scanned', () => pause(clock, 6 * SECOND))
    const followed = follow()
    // Outcomes hold the events.
    const start = (count: number) => {
      const sent = { ...numbered(count, 16 * 1024), ...delivery?.() }
      followed.add(sent)
      if (sent.body instanceof Uint8Array) followed.add(sent.body)
      void receiver.receive(sent)
    }
    const before = await usedBytes()
    for (let count = 0; count < total; count++) start(count)
    await clock.advance(laterMs)
    expect(clock.pendingTimers(), 'pending timers').toBe(0)
    expect(followed.count()).toBeGreaterThanOrEqual(MIN_FOLLOWED)
    expect(await followed.alive(), 'objects that are still alive').toBeLessThanOrEqual(FEW)
    expect((await usedBytes()) - before, 'bytes').toBeLessThan(5 * MIB)
    expect((await receiver.status()).processing).toBe(0)
  })
})
