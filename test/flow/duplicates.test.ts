/** Duplicates, replays and what a delivery is known by: acceptance list, parts E and G, in one process. */
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

test('141: the same bytes twice: worked once, answered 200 twice', async () => {
  const { deliver, calls } = counting()
  const { event, idempotencyKey, status } = await deliver()
  expect(status).toBe('processed')
  // Which try it was is not known of one that is not worked.
  expect(await deliver()).toEqual({ status: 'duplicate', event, idempotencyKey, secretIndex: 0 })
  expect(calls()).toBe(1)
})

test('142: the same bytes a thousand times at once: worked once, each answer 200 or 503', async () => {
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

test('144: a duplicate while the first is running is busy: 503, and never 200', async () => {
  const { clock, receiver, deliver, attempt } = receiving()
  receiver.on('qr.scanned', () => pause(clock, SECOND))
  const first = deliver()
  expect(await attempt()).toMatchObject({ http: 503, outcome: { status: 'busy', attempt: 1 } })
  await clock.advance(SECOND)
  expect((await first).status).toBe('processed')
})

test('129: the same signed bytes again, seconds or a year later: worked once', async () => {
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

test('122: an event of the future is remembered as long as its bytes would be worked', async () => {
  const { clock, deliver, calls } = counting()
  const timestamp = new Date(clock.now() + 23 * HOUR).toISOString()
  await deliver(scannedEvent({ timestamp }))
  await clock.advance((23 + 72) * HOUR)
  expect((await deliver(scannedEvent({ timestamp }))).status).toBe('duplicate')
  await clock.advance(1)
  expect((await deliver(scannedEvent({ timestamp }))).status).toBe('quarantined')
  expect(calls()).toBe(1)
})

test('129: an event is remembered as long as its bytes would be worked, and no longer: 72 hours, and 24 for wrong clocks', async () => {
  const clock = fixedClock(EVENT_TIME)
  const inner = memoryStore({ clock })
  const asked: number[] = []
  const remember = <Request extends { readonly retainUntil: number }>(request: Request): Request => {
    asked.push(request.retainUntil - clock.now())
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
  expect(asked).toEqual([96 * HOUR, 96 * HOUR])
})

test.each([
  ['124: without a time', { timestamp: undefined }, {}],
  ['without an age check', {}, { maxAgeMs: false } as const],
])('%s: remembered for 30 days', async (_, changes, options) => {
  const { clock, deliver, calls } = counting(options)
  await deliver(scannedEvent(changes))
  await clock.advance(30 * 24 * HOUR - 1)
  expect((await deliver(scannedEvent(changes))).status).toBe('duplicate')
  expect(calls()).toBe(1)
})

describe('other bytes are another delivery', () => {
  const event = scannedEvent()
  it.each<[string, string, string]>([
    ['146: spaced otherwise', JSON.stringify(event), JSON.stringify(event, null, 1)],
    [
      '146: in another order',
      JSON.stringify(event),
      JSON.stringify(Object.fromEntries(Object.entries(event).reverse())),
    ],
    [
      '146: escaped otherwise',
      '{"event":"qr.created","data":{"t":"é"}}',
      '{"event":"qr.created","data":{"t":"\\u00e9"}}',
    ],
    [
      '147: with another signature inside',
      JSON.stringify({ ...event, signature: 'a' }),
      JSON.stringify({ ...event, signature: 'b' }),
    ],
    [
      '149: with another timestamp',
      JSON.stringify(event),
      JSON.stringify({ ...event, timestamp: '2025-01-29T12:00:01Z' }),
    ],
  ])('%s: worked twice', async (_, first, second) => {
    const { deliver, calls } = counting()
    await deliver(first)
    expect((await deliver(second)).status).toBe('processed')
    expect(calls()).toBe(2)
  })

  test('150: trap: two events of one subscription have the same webhook_id, and are two', async () => {
    const { deliver, calls } = counting()
    await deliver(scannedEvent())
    await deliver(eventOf('qr.created'))
    await deliver(scannedEvent({ data: { ...event.data, scan_count: 16 } }))
    expect(calls()).toBe(3)
  })

  test('150: whichever value differs', async () => {
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

  test('trap: a delivery without any id is worked', async () => {
    const { deliver, calls } = counting()
    expect((await deliver({ event: 'qr.created', data: {} })).status).toBe('processed')
    expect(calls()).toBe(1)
  })

  test('152: a thousand deliveries at once are a thousand', async () => {
    const { deliver, calls } = counting()
    const all = Array.from({ length: 1000 }, (_, count) =>
      deliver(scannedEvent({ data: { ...event.data, scan_count: count } })),
    )
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set(['processed']))
    expect(calls()).toBe(1000)
  })

  test('153: an older event after a newer one is worked', async () => {
    const { deliver, calls } = counting()
    await deliver(scannedEvent())
    await deliver(scannedEvent({ timestamp: '2025-01-29T11:00:00Z' }))
    expect(calls()).toBe(2)
  })
})

describe('with an idempotencyKey', () => {
  const byContent = ({ payload }: { payload: Readonly<Record<string, unknown>> }) =>
    JSON.stringify([payload['event'], payload['data']])

  test('146: over the content, a retry that is printed otherwise is a duplicate', async () => {
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
    ['names nothing', () => undefined],
    ['is asynchronous and rejects', () => Promise.reject(new Error('no id'))],
  ])('that %s: known by its bytes, and that is told', async (_, idempotencyKey) => {
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

  test('is not asked about what is not authentic', async () => {
    let asked = 0
    const { deliver } = counting({ idempotencyKey: () => String(asked++) })
    const forged = deliveryOf(scannedEvent(), { header: () => `sha256=${'0'.repeat(64)}` })
    expect((await deliver(scannedEvent(), forged)).status).toBe('refused')
    expect(asked).toBe(0)
  })
})

test('148: the same body under the old and then the new secret is worked once', async () => {
  const { receiver, calls } = counting({ secret: ['old', 'new'] })
  const under = (secret: string) =>
    deliveryOf(scannedEvent(), {
      header: (name) => (name === 'x-govalid-signature' ? signatureOf(scannedEvent(), secret) : undefined),
    })
  expect(await receiver.receive(under('old'))).toMatchObject({ status: 'processed', secretIndex: 0 })
  expect(await receiver.receive(under('new'))).toMatchObject({ status: 'duplicate', secretIndex: 1 })
  expect(calls()).toBe(1)
})

test('145: another receiver on the same store knows it', async () => {
  const one = counting()
  const store = memoryStore({ clock: one.clock })
  const [first, second] = [counting({ clock: one.clock, store }), counting({ clock: one.clock, store })]
  await first.deliver()
  expect((await second.deliver()).status).toBe('duplicate')
  expect(second.calls()).toBe(0)
})

test('without a store everything is worked, as a first try', async () => {
  const { deliver, calls } = counting({ store: false })
  expect(await deliver()).toMatchObject({ status: 'processed', attempt: 1 })
  expect(await deliver()).toMatchObject({ status: 'processed', attempt: 1 })
  expect(calls()).toBe(2)
})

describe('what cannot be worked is quarantined once, however often it comes', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['81: not JSON', '} not json', 'not_json'],
    ['46: nothing', '', 'not_json'],
    ['82: no object', 'null', 'not_an_event'],
    ['85: without an event', '{"data":{}}', 'not_an_event'],
    ['87: invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'not_utf8'],
    ['121: the printed sample, long ago', JSON.stringify(scannedEvent({ timestamp: '2024-01-29T12:00:00Z' })), 'stale'],
    [
      '123: of the day after tomorrow',
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

test('a refused delivery reaches no store, no handler, no quarantine, and no key function', async () => {
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
