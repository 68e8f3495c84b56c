/** From a payload to its handler: part F of the acceptance list, users' schemas, and the handler's context. */
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { EVENT_TYPES, type EventSchemas, type HandlerContext } from '../../src/index.js'
import { deferred } from '../support/deferred.js'
import { EVENT_TIME, eventOf, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { pause, receiving, SECOND } from '../support/receiving.js'

describe('an event reaches its handlers', () => {
  it.each(EVENT_TYPES)('if it is %s (acceptance case 130)', async (type) => {
    const seen: string[] = []
    const { receiver, deliver } = receiving()
    for (const each of EVENT_TYPES) receiver.on(each, (event) => void seen.push(event.event))
    receiver.onUnknown(() => expect.unreachable())
    expect(await deliver(eventOf(type))).toMatchObject({ status: 'processed', event: eventOf(type) })
    expect(seen).toEqual([type])
  })

  it.each(['qr.archived', 'test', 'ping', 'QR.SCANNED', 'qr.scanned ', '*', 'qr.*', '__proto__', 'constructor'])(
    'and the unknown event %j is ignored with 200 (acceptance case 131)',
    async (event) => {
      const { receiver, attempt } = receiving()
      receiver.on('*', () => expect.unreachable())
      expect(await attempt({ event })).toMatchObject({ http: 200, outcome: { status: 'ignored', event: { event } } })
    },
  )

  test('and onUnknown processes an unknown event once (acceptance case 131)', async () => {
    const seen: unknown[] = []
    const { receiver, deliver } = receiving()
    receiver.on('*', () => expect.unreachable()).onUnknown((event) => void seen.push(event))
    expect((await deliver({ event: 'qr.archived', anything: [1] })).status).toBe('processed')
    expect((await deliver({ event: 'qr.archived', anything: [1] })).status).toBe('duplicate')
    expect(seen).toEqual([{ event: 'qr.archived', anything: [1] }])
  })

  test('and an event name of 10 KB with control characters is ignored (acceptance case 101)', async () => {
    const { attempt } = receiving()
    expect((await attempt({ event: `\u001b[2J\r\n${'x'.repeat(10_240)}` })).http).toBe(200)
  })

  test('and a repeated field has its last value, as in JSON.parse (acceptance case 100)', async () => {
    const seen: string[] = []
    const { receiver, deliver } = receiving()
    receiver.on('*', (event) => void seen.push(event.event))
    await deliver('{"event":"qr.created","event":"qr.expired","data":{}}')
    expect(seen).toEqual(['qr.expired'])
  })
})

describe('an event that departs from the documented shape', () => {
  const drifted = scannedEvent({ webhook_id: 7, data: { ...scannedEvent().data, scan_count: '15' } })

  test('reaches the handler unchanged, with its issues (acceptance case 134)', async () => {
    const seen: unknown[] = []
    const { receiver, deliver } = receiving()
    receiver.on('qr.scanned', (event, { issues }) => void seen.push(event, issues))
    expect((await deliver(drifted)).status).toBe('processed')
    expect(seen).toEqual([
      drifted,
      [
        { path: ['webhook_id'], expected: 'string', received: 'number' },
        { path: ['data', 'scan_count'], expected: 'number', received: 'string' },
      ],
    ])
  })

  it.each<unknown>([undefined, null, [1], 'text'])(
    'reaches the handler with {} and an issue if its data is %j (acceptance case 136)',
    async (data) => {
      const seen: unknown[] = []
      const { receiver, deliver } = receiving()
      receiver.on('qr.scanned', (event, { issues, rawBody }) => {
        seen.push(event.data, issues.length, JSON.parse(new TextDecoder().decode(rawBody)).data)
      })
      expect((await deliver(scannedEvent({ data }))).status).toBe('processed')
      expect(seen).toEqual([{}, 1, data])
    },
  )
})

describe('a user’s schema', () => {
  const id = z.object({ qr_id: z.string() }).transform(({ qr_id }) => ({ id: qr_id }))

  test('passes its output to the handler; other events keep their data', async () => {
    const seen: unknown[] = []
    const { receiver, deliver } = receiving({ schemas: { 'qr.scanned': id } })
    receiver.on('qr.scanned', (event) => void seen.push(event.data.id))
    receiver.on('qr.created', (event) => void seen.push(event.data))
    expect((await deliver()).status).toBe('processed')
    await deliver(eventOf('qr.created', { data: { id: 7 } }))
    expect(seen).toEqual(['abc123', { id: 7 }])
  })

  test('may be asynchronous', async () => {
    const seen: unknown[] = []
    const { receiver, deliver } = receiving({ schemas: { 'qr.scanned': id.refine(async () => true) } })
    receiver.on('qr.scanned', (event) => void seen.push(event.data))
    expect((await deliver()).status).toBe('processed')
    expect(seen).toEqual([{ id: 'abc123' }])
  })

  test.each([
    ['an array', ['abc123']],
    ['a text', 'abc123'],
    ['null', null],
  ])('gets data that is %s', async (_, data) => {
    const seen: unknown[] = []
    const schemas = { 'qr.scanned': z.union([z.array(z.string()), z.string(), z.null()]) }
    const { receiver, deliver } = receiving({ schemas })
    receiver.on('qr.scanned', (event) => void seen.push(event.data))
    expect((await deliver(scannedEvent({ data }))).status).toBe('processed')
    expect(seen).toEqual([data])
  })

  test('that refuses the data quarantines the event with its messages', async () => {
    const quarantine = memoryQuarantine()
    const schema = z.object({ qr_id: z.string().startsWith('QR-') })
    const { receiver, attempt, reports } = receiving({ schemas: { 'qr.scanned': schema }, quarantine })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt()).toMatchObject({
      http: 200,
      outcome: { status: 'quarantined', code: 'schema_refused', error: expect.stringContaining('QR-') },
    })
    // A schema quotes the payload, so its messages must not be in a report.
    expect(reports).toEqual([
      {
        code: 'schema_refused',
        message: expect.not.stringContaining('QR-'),
        idempotencyKey: expect.any(String),
        eventType: 'qr.scanned',
      },
    ])
    expect([...quarantine.entries.values()]).toMatchObject([
      { code: 'schema_refused', error: expect.stringContaining('QR-') },
    ])
  })

  const schemaOf = (validate: () => unknown) =>
    ({ 'qr.scanned': { '~standard': { version: 1, vendor: 'test', validate } } }) as EventSchemas

  it.each<[string, unknown]>([
    ['an error', new Error('no database')],
    ['undefined', undefined],
    ['null', null],
  ])('that throws %s fails the attempt before any handler runs', async (_, error) => {
    let calls = 0
    const schemas = schemaOf(() => {
      if (++calls < 3) throw error
      return { value: { id: 'abc123' } }
    })
    const seen: unknown[] = []
    const { receiver, attempts } = receiving({ schemas })
    receiver.on('qr.scanned', (event) => void seen.push(event.data))
    const made = await attempts()
    expect(made.map(({ http }) => http)).toEqual([500, 500, 200])
    expect(made[0]?.outcome).toMatchObject({ status: 'failed', error, attempt: 1 })
    expect(seen).toEqual([{ id: 'abc123' }])
  })

  test('that returns nothing fails the attempt', async () => {
    const { receiver, attempt } = receiving({ schemas: schemaOf(() => undefined) })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt()).toMatchObject({ http: 500, outcome: { status: 'failed', error: expect.any(TypeError) } })
  })

  test('that never settles fails the attempt after 1 s', async () => {
    const { clock, receiver, attempt } = receiving({ schemas: schemaOf(() => new Promise(() => {})) })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt()).toMatchObject({
      http: 500,
      ms: 1000,
      outcome: { status: 'failed', error: expect.stringContaining('schema') },
    })
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('the context of a handler', () => {
  async function contextOf(options: Parameters<typeof receiving>[0] = {}) {
    const contexts: HandlerContext[] = []
    const scene = receiving(options)
    scene.receiver.on('qr.scanned', (_, context) => void contexts.push(context))
    return { scene, contexts, outcome: await scene.deliver() }
  }

  test('has the key, the attempt, the time, the raw body and the issues', async () => {
    const { contexts, outcome } = await contextOf()
    expect(contexts[0]).toMatchObject({
      idempotencyKey: outcome.idempotencyKey,
      attempt: 1,
      redelivery: false,
      receivedAt: Date.parse(EVENT_TIME),
      rawBody: new TextEncoder().encode(JSON.stringify(scannedEvent())),
      issues: [],
    })
    expect(contexts[0]?.idempotencyKey).toMatch(/^[0-9a-f]{64}$/)
    expect(contexts[0]?.signal.aborted).toBe(false)
    expect(contexts[0]).not.toHaveProperty('transaction')
  })

  test('has numbers beyond 2^53 unchanged in the raw body (acceptance case 97)', async () => {
    const seen: string[] = []
    const { receiver, deliver } = receiving()
    receiver.on('qr.created', (_, { rawBody }) => void seen.push(new TextDecoder().decode(rawBody)))
    const sent = '{"event":"qr.created","data":{"id":12345678901234567890}}'
    await deliver(sent)
    expect(seen).toEqual([sent])
  })

  test('has the same key in every attempt', async () => {
    const keys: string[] = []
    const { receiver, attempts } = receiving()
    receiver.on('qr.scanned', (_, { idempotencyKey, attempt }) => {
      keys.push(idempotencyKey)
      if (attempt < 3) throw new Error('no database')
    })
    await attempts()
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
  })
})

describe('the platform is kept alive', () => {
  test('for handlers that run after the response, until they finish', async () => {
    const kept: Promise<unknown>[] = []
    const { clock, receiver, attempt } = receiving()
    receiver.on('qr.scanned', () => pause(clock, 20 * SECOND))
    await attempt(scannedEvent(), { waitUntil: (work) => void kept.push(work) })
    const ended: string[] = []
    void Promise.all(kept).then(() => ended.push('all'))
    await clock.advance(15 * SECOND)
    expect([kept.length, ended.length]).toEqual([1, 0])
    await clock.advance(SECOND)
    expect(ended).toEqual(['all'])
  })

  test('but not for a handler that has finished', async () => {
    const { receiver, deliver } = receiving()
    receiver.on('qr.scanned', () => {})
    await deliver(scannedEvent(), { waitUntil: () => expect.unreachable() })
  })
})

describe('concurrent deliveries', () => {
  test('each pass their own event to the handler', async () => {
    const gate = deferred()
    const seen: unknown[] = []
    const { receiver, deliver } = receiving()
    receiver.on('*', async (event, { idempotencyKey }) => {
      await gate.promise
      seen.push([event.event, idempotencyKey])
    })
    const both = Promise.all([deliver(eventOf('qr.created')), deliver(eventOf('qr.expired'))])
    gate.resolve()
    const outcomes = await both
    expect(seen).toEqual(outcomes.map(({ event, idempotencyKey }) => [event?.event, idempotencyKey]))
  })
})
