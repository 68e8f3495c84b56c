/** Duplicates, replays and idempotency keys: parts E and G of the acceptance list, in one process. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME, eventOf, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, HOUR, MINUTE, pause, receiving, SECOND, signatureOf } from '../support/receiving.js'

function counting(options: Parameters<typeof receiving>[0] = {}) {
  const scene = receiving(options)
  let calls = 0
  scene.receiver.on('*', () => void calls++)
  return { ...scene, calls: () => calls }
}

test('the same bytes twice are processed once and get 200 twice (acceptance case 141)', async () => {
  const { deliver, calls } = counting()
  const { event, idempotencyKey, status } = await deliver()
  expect(status).toBe('processed')
  // A duplicate has no attempt, because it isn't claimed.
  expect(await deliver()).toEqual({ status: 'duplicate', event, idempotencyKey, secretIndex: 0 })
  expect(calls()).toBe(1)
})

test('a thousand simultaneous copies are processed once and get 200 or 503 (acceptance case 142)', async () => {
  const { clock, receiver, deliver } = receiving()
  let calls = 0
  receiver.on('qr.scanned', async () => {
    calls++
    await pause(clock, SECOND)
  })
  const all = Array.from({ length: 1000 }, () => deliver())
  await clock.advance(SECOND)
  const statuses = (await Promise.all(all)).map(({ status }) => status)
  expect(calls).toBe(1)
  expect([
    statuses.filter((status) => status === 'processed').length,
    statuses.filter((status) => status === 'busy').length,
  ]).toEqual([1, 999])
})

test('a copy gets 503, never 200, while the first is running (acceptance case 144)', async () => {
  const { clock, receiver, deliver, attempt } = receiving()
  receiver.on('qr.scanned', () => pause(clock, SECOND))
  const first = deliver()
  expect(await attempt()).toMatchObject({ http: 503, outcome: { status: 'busy', attempt: 1 } })
  await clock.advance(SECOND)
  expect((await first).status).toBe('processed')
})

test('the same signed bytes are processed once, even if they are sent again a year later (acceptance case 129)', async () => {
  const { clock, deliver, calls } = counting()
  const statuses: string[] = []
  const since = clock.now()
  for (const ms of [0, SECOND, 82 * MINUTE, 71 * HOUR, 73 * HOUR, 97 * HOUR, 365 * 24 * HOUR]) {
    await clock.advance(since + ms - clock.now())
    statuses.push((await deliver()).status)
  }
  expect(statuses).toEqual([
    'processed',
    'duplicate',
    'duplicate',
    'duplicate',
    'quarantined',
    'quarantined',
    'quarantined',
  ])
  expect(calls()).toBe(1)
})

test('an event from the future is remembered as long as its bytes are accepted (acceptance case 122)', async () => {
  const { clock, deliver, calls } = counting()
  const timestamp = new Date(clock.now() + 23 * HOUR).toISOString()
  await deliver(scannedEvent({ timestamp }))
  await clock.advance((23 + 72) * HOUR)
  expect((await deliver(scannedEvent({ timestamp }))).status).toBe('duplicate')
  await clock.advance(1)
  expect((await deliver(scannedEvent({ timestamp }))).status).toBe('quarantined')
  expect(calls()).toBe(1)
})

test('an event is remembered for 72 hours, and 24 more for wrong clocks (acceptance case 129)', async () => {
  const clock = fixedClock(EVENT_TIME)
  const inner = memoryStore({ clock })
  const retained: number[] = []
  const remember = <Request extends { readonly retainUntil: number }>(request: Request): Request => {
    retained.push(request.retainUntil - clock.now())
    return request
  }
  const { deliver } = counting({
    clock,
    store: {
      ...inner,
      claim: (request) => inner.claim(remember(request)),
      complete: (request) => inner.complete(remember(request)),
    },
  })
  expect((await deliver()).status).toBe('processed')
  expect(retained).toEqual([96 * HOUR, 96 * HOUR])
})

test.each([
  ['without a timestamp (acceptance case 124)', { timestamp: undefined }, {}],
  ['without an age check', {}, { maxAgeMs: false } as const],
])('an event is remembered for 30 days %s', async (_, changes, options) => {
  const { clock, deliver, calls } = counting(options)
  await deliver(scannedEvent(changes))
  await clock.advance(30 * 24 * HOUR - 1)
  expect((await deliver(scannedEvent(changes))).status).toBe('duplicate')
  expect(calls()).toBe(1)
})

describe('different bytes are different deliveries', () => {
  const event = scannedEvent()
  it.each<[string, string, string]>([
    ['other spaces (acceptance case 146)', JSON.stringify(event), JSON.stringify(event, null, 1)],
    [
      'another order of fields (acceptance case 146)',
      JSON.stringify(event),
      JSON.stringify(Object.fromEntries(Object.entries(event).reverse())),
    ],
    [
      'another escape (acceptance case 146)',
      '{"event":"qr.created","data":{"t":"é"}}',
      '{"event":"qr.created","data":{"t":"\\u00e9"}}',
    ],
    [
      'another signature inside (acceptance case 147)',
      JSON.stringify({ ...event, signature: 'a' }),
      JSON.stringify({ ...event, signature: 'b' }),
    ],
    [
      'another timestamp (acceptance case 149)',
      JSON.stringify(event),
      JSON.stringify({ ...event, timestamp: '2025-01-29T12:00:01Z' }),
    ],
  ])('processes both: %s', async (_, first, second) => {
    const { deliver, calls } = counting()
    await deliver(first)
    expect((await deliver(second)).status).toBe('processed')
    expect(calls()).toBe(2)
  })

  test('processes two events of one subscription, although they share the webhook_id (acceptance case 150)', async () => {
    const { deliver, calls } = counting()
    await deliver(scannedEvent())
    await deliver(eventOf('qr.created'))
    await deliver(scannedEvent({ data: { ...event.data, scan_count: 16 } }))
    expect(calls()).toBe(3)
  })

  test('processes both if any single value differs (acceptance case 150)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(event.data)),
        fc.jsonValue({ maxDepth: 1 }),
        async (field, value) => {
          const other = scannedEvent({ data: { ...event.data, [field]: value } })
          fc.pre(JSON.stringify(other) !== JSON.stringify(event))
          const { deliver, calls } = counting()
          await deliver()
          await deliver(other)
          expect(calls()).toBe(2)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('processes a delivery without any id', async () => {
    const { deliver, calls } = counting()
    expect((await deliver({ event: 'qr.created', data: {} })).status).toBe('processed')
    expect(calls()).toBe(1)
  })

  test('processes all of a thousand simultaneous deliveries (acceptance case 152)', async () => {
    const { deliver, calls } = counting()
    const all = Array.from({ length: 1000 }, (_, count) =>
      deliver(scannedEvent({ data: { ...event.data, scan_count: count } })),
    )
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set(['processed']))
    expect(calls()).toBe(1000)
  })

  test('processes an older event after a newer one (acceptance case 153)', async () => {
    const { deliver, calls } = counting()
    await deliver(scannedEvent())
    await deliver(scannedEvent({ timestamp: '2025-01-29T11:00:00Z' }))
    expect(calls()).toBe(2)
  })
})

describe('a custom idempotencyKey', () => {
  const byContent = ({ payload }: { payload: Readonly<Record<string, unknown>> }) =>
    JSON.stringify([payload['event'], payload['data']])

  test('over the content makes a retry with other spaces a duplicate (acceptance case 146)', async () => {
    const { deliver, calls, outcomes } = counting({ idempotencyKey: byContent })
    await deliver(JSON.stringify(scannedEvent()))
    expect((await deliver(JSON.stringify(scannedEvent({ signature: 'other' }), null, 2))).status).toBe('duplicate')
    expect(calls()).toBe(1)
    expect(outcomes[0]?.idempotencyKey).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no id')
      },
    ],
    ['returns nothing', () => undefined],
    ['is asynchronous and rejects', () => Promise.reject(new Error('no id'))],
  ])('that %s is reported, and the bytes are the key', async (_, idempotencyKey) => {
    const { deliver, calls, reports } = counting({ idempotencyKey: idempotencyKey as () => string })
    const first = await deliver()
    expect((await deliver()).status).toBe('duplicate')
    expect(calls()).toBe(1)
    expect(reports[0]).toMatchObject({
      code: 'idempotency_key_failed',
      message: expect.stringContaining('deduplicated by its bytes'),
      idempotencyKey: first.idempotencyKey,
    })
  })

  test('is not called for a forged delivery', async () => {
    let calls = 0
    const { deliver } = counting({ idempotencyKey: () => String(calls++) })
    const forged = deliveryOf(scannedEvent(), { header: () => `sha256=${'0'.repeat(64)}` })
    expect((await deliver(scannedEvent(), forged)).status).toBe('refused')
    expect(calls).toBe(0)
  })
})

test('the same body signed with the old and the new secret is processed once (acceptance case 148)', async () => {
  const { receiver, calls } = counting({ secret: ['old', 'new'] })
  const signedWith = (secret: string) =>
    deliveryOf(scannedEvent(), {
      header: (name) => (name === 'x-govalid-signature' ? signatureOf(scannedEvent(), secret) : undefined),
    })
  expect(await receiver.receive(signedWith('old'))).toMatchObject({ status: 'processed', secretIndex: 0 })
  expect(await receiver.receive(signedWith('new'))).toMatchObject({ status: 'duplicate', secretIndex: 1 })
  expect(calls()).toBe(1)
})

test('a copy at another receiver on the same store is a duplicate (acceptance case 145)', async () => {
  const one = counting()
  const store = memoryStore({ clock: one.clock })
  const [first, second] = [counting({ clock: one.clock, store }), counting({ clock: one.clock, store })]
  await first.deliver()
  expect((await second.deliver()).status).toBe('duplicate')
  expect(second.calls()).toBe(0)
})

test('without a store, every copy is processed as a first attempt', async () => {
  const { deliver, calls } = counting({ store: false })
  expect(await deliver()).toMatchObject({ status: 'processed', attempt: 1 })
  expect(await deliver()).toMatchObject({ status: 'processed', attempt: 1 })
  expect(calls()).toBe(2)
})

describe('a delivery that cannot be processed is quarantined once, even if it is sent again', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['not JSON (acceptance case 81)', '} not json', 'not_json'],
    ['an empty body (acceptance case 46)', '', 'not_json'],
    ['not an object (acceptance case 82)', 'null', 'not_an_event'],
    ['no event field (acceptance case 85)', '{"data":{}}', 'not_an_event'],
    ['invalid UTF-8 (acceptance case 87)', new Uint8Array([0x7b, 0xff, 0x7d]), 'not_utf8'],
    [
      'an event from last year (acceptance case 121)',
      JSON.stringify(scannedEvent({ timestamp: '2024-01-29T12:00:00Z' })),
      'stale',
    ],
    [
      'an event of the day after tomorrow (acceptance case 123)',
      JSON.stringify(scannedEvent({ timestamp: '2025-01-31T12:00:00Z' })),
      'from_future',
    ],
  ])('%s', async (_, sent, code) => {
    const quarantine = memoryQuarantine()
    const { deliver, attempt, calls } = counting({ quarantine })
    expect(await attempt(sent)).toMatchObject({ http: 200, outcome: { status: 'quarantined', code } })
    await deliver(sent)
    expect(calls()).toBe(0)
    expect([...quarantine.entries.values()]).toMatchObject([
      { code, rawBody: typeof sent === 'string' ? new TextEncoder().encode(sent) : sent },
    ])
  })
})

test('a refused delivery never reaches the store, a handler, the quarantine or the key function', async () => {
  const unreachable = () => expect.unreachable()
  const store = { claim: unreachable, renew: unreachable, complete: unreachable, release: unreachable }
  const { receiver } = receiving({ store, quarantine: unreachable, idempotencyKey: unreachable })
  receiver.on('*', unreachable).onUnknown(unreachable)
  for (const signature of [undefined, '', 'sha256=', `sha256=${'0'.repeat(64)}`, signatureOf('{}')]) {
    for (const sent of [scannedEvent(), '} not json', '', { event: 'unknown' }]) {
      const outcome = await receiver.receive(
        deliveryOf(sent, { header: (name) => (name === 'x-govalid-signature' ? signature : undefined) }),
      )
      expect(outcome).toMatchObject({ status: 'refused', code: expect.stringMatching(/^signature_/) })
    }
  }
})
