/** newestOnly drops or flags an event that is older than the newest event handled for the same object, and no other event. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createReceiver, type DeliveryContext, type EventOf, type NewestMemory, newestOnly } from '../../src/index.js'
import { signDelivery } from '../../src/testing/index.js'
import { activeTimers } from '../support/active-timers.js'
import { caught } from '../support/caught.js'
import { deferred } from '../support/deferred.js'
import { collectGarbage } from '../support/garbage.js'

const SECRET = 'your_webhook_secret'

function at(minute: number, id: string | undefined = 'abc123') {
  const timestamp = `2025-01-29T12:${String(minute).padStart(2, '0')}:00Z`
  return { event: 'qr.transferred' as const, timestamp, webhook_id: 'wh-001', data: { id, minute } }
}

afterEach(() => void vi.useRealTimers())

type QrEvent = EventOf<'qr.transferred'>

const keyOf = (event: { readonly data: { readonly id?: string | null | undefined } }) => event.data.id

function setUp(options: { readonly mode?: 'drop' | 'flag'; readonly memory?: NewestMemory } = {}) {
  const seen: string[] = []
  const receiver = createReceiver({ secret: SECRET, maxAgeMs: false, onError: () => {} }).on(
    'qr.transferred',
    newestOnly({ keyOf, ...options }, async (event: QrEvent, { outdated, idempotencyKey, signal }) => {
      if (idempotencyKey.length !== 64 || signal.aborted) throw new Error('the context is incomplete')
      if (event.data['fails']) throw new Error('not this time')
      seen.push(`${event.data.id} ${event.data['minute']}${outdated ? ' outdated' : ''}`)
    }),
  )
  const receive = async (payload: object) => {
    return (await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)).status
  }
  return { seen, receive }
}

describe('newestOnly', () => {
  test('a handler that runs keeps no process alive by itself', async () => {
    const gate = deferred()
    const before = activeTimers()
    const handle = newestOnly({ keyOf }, () => gate.promise)
    const running = handle(at(5) as QrEvent, { signal: new AbortController().signal } as DeliveryContext as never)
    expect(activeTimers()).toBe(before)
    gate.resolve()
    await running
  })

  test('drops an event that is older than the newest of its object, with the outcome processed', async () => {
    const { seen, receive } = setUp()
    for (const payload of [at(5), at(3), at(5, 'other'), at(6), at(4, 'other')])
      expect(await receive(payload)).toBe('processed')
    expect(seen).toEqual(['abc123 5', 'other 5', 'abc123 6'])
  })

  test('flags an older event in flag mode, and still remembers the newest', async () => {
    const { seen, receive } = setUp({ mode: 'flag' })
    for (const minute of [5, 3, 4]) await receive(at(minute))
    expect(seen).toEqual(['abc123 5', 'abc123 3 outdated', 'abc123 4 outdated'])
  })

  test('handles an event with the same time, without a time, or without an object', async () => {
    const { seen, receive } = setUp()
    const equal = { ...at(5), data: { id: 'abc123', minute: 'five again' } }
    for (const payload of [at(5), equal, { ...at(1), timestamp: 'yesterday' }, at(4)]) await receive(payload)
    for (const minute of [9, 2]) await receive({ ...at(minute), data: { minute } })
    for (const minute of [9, 2]) await receive({ ...at(minute), data: { id: null, minute } })
    expect(seen.slice(0, 3)).toEqual(['abc123 5', 'abc123 five again', 'abc123 1'])
    expect(seen.slice(3)).toEqual(['undefined 9', 'undefined 2', 'null 9', 'null 2'])
  })

  test('ignores the time of an event whose handler failed', async () => {
    const { seen, receive } = setUp()
    expect(await receive({ ...at(5), data: { id: 'abc123', fails: true } })).toBe('failed')
    expect(await receive(at(3))).toBe('processed')
    expect(seen).toEqual(['abc123 3'])
  })

  test('an abandoned handler blocks no other event, and an event that was abandoned while it waited is not handled', async () => {
    const gate = deferred()
    const seen: number[] = []
    const handle = newestOnly({ keyOf }, async (event: ReturnType<typeof at>) => {
      if (event.data.minute === 5) await gate.promise
      seen.push(event.data.minute)
    })
    const [hanging, waiting, later] = [new AbortController(), new AbortController(), new AbortController()]
    const run = (minute: number, { signal }: AbortController) => handle(at(minute), { signal } as DeliveryContext)
    const [first, second] = [run(5, hanging), run(6, waiting)]
    const refused = expect(second).rejects.toThrow('handler_timeout')
    const third = run(7, later)
    await new Promise((resolve) => setImmediate(resolve))
    waiting.abort(new Error('handler_timeout'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([])
    hanging.abort(new Error('handler_timeout'))
    await third
    await refused
    gate.resolve()
    await first
    expect(seen).toEqual([7, 5])
    await run(6, later)
    expect(seen).toEqual([7, 5])
  })

  test('waits for a handler that runs for minutes', async () => {
    vi.useFakeTimers()
    const gate = deferred()
    const seen: number[] = []
    const handle = newestOnly({ keyOf }, async ({ data: { minute } }: ReturnType<typeof at>) => {
      if (minute === 5) await gate.promise
      seen.push(minute)
    })
    const context = { signal: new AbortController().signal } as DeliveryContext
    const both = [handle(at(5), context), handle(at(6), context)]
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(seen).toEqual([])
    gate.resolve()
    await Promise.all(both)
    expect(seen).toEqual([5, 6])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('waits three seconds for a handler whose request has ended and took its timers with it', async () => {
    vi.useFakeTimers()
    const seen: number[] = []
    const handle = newestOnly({ keyOf }, async ({ data: { minute } }: ReturnType<typeof at>) => {
      if (minute === 5) await new Promise(() => {})
      seen.push(minute)
    })
    const context = { signal: new AbortController().signal } as DeliveryContext
    void handle(at(5), context)
    await vi.advanceTimersByTimeAsync(20_000)
    vi.clearAllTimers()
    const rest = [handle(at(6), context), handle(at(7), context)]
    await vi.advanceTimersByTimeAsync(2999)
    expect(seen).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await Promise.all(rest)
    expect(seen).toEqual([6, 7])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('handles the events of one object one after another, and events of other objects at the same time', async () => {
    const gate = deferred()
    const steps: string[] = []
    const handle = newestOnly({ keyOf }, async (event: ReturnType<typeof at>) => {
      steps.push(`${event.data.id} ${event.data.minute} begins`)
      if (event.data.id === 'abc123' && event.data.minute === 5) await gate.promise
      steps.push(`${event.data.id} ${event.data.minute} ends`)
    })
    const context = { signal: new AbortController().signal } as DeliveryContext
    const both = [handle(at(5), context), handle(at(3), context), handle(at(6), context)]
    await handle(at(1, 'other'), context)
    expect(steps).toEqual(['abc123 5 begins', 'other 1 begins', 'other 1 ends'])
    gate.resolve()
    await Promise.all(both)
    expect(steps.slice(3)).toEqual(['abc123 5 ends', 'abc123 6 begins', 'abc123 6 ends'])
  })

  test('an event that arrives while the second event of its object is handled waits for the second, not for the first', async () => {
    const [first, second] = [deferred(), deferred()]
    const steps: string[] = []
    const handle = newestOnly({ keyOf }, async ({ data: { minute } }: ReturnType<typeof at>) => {
      steps.push(`${minute} begins`)
      if (minute < 7) await (minute === 5 ? first : second).promise
      steps.push(`${minute} ends`)
    })
    const context = { signal: new AbortController().signal } as DeliveryContext
    const [five, six] = [handle(at(5), context), handle(at(6), context)]
    first.resolve()
    await five
    const seven = handle(at(7), context)
    await new Promise((resolve) => setImmediate(resolve))
    expect(steps).toEqual(['5 begins', '5 ends', '6 begins'])
    second.resolve()
    await Promise.all([six, seven])
    expect(steps.slice(3)).toEqual(['6 ends', '7 begins', '7 ends'])
  })

  test('gives the handler a context that can be spread', async () => {
    const contexts: object[] = []
    const handler = newestOnly({ keyOf }, (_event: QrEvent, context) => void contexts.push({ ...context }))
    const receiver = createReceiver({ secret: SECRET, maxAgeMs: false }).on('qr.transferred', handler)
    await receiver.receive((await signDelivery(at(5), { secret: SECRET })).delivery)
    expect(contexts).toMatchObject([{ outdated: false, attempt: 1, signal: expect.any(AbortSignal) }])
  })

  test('frees the memory of an object once its events are handled', async () => {
    const memory = { get: () => undefined, set: () => {} }
    const handle = newestOnly({ keyOf, memory }, () => {})
    const context = { signal: new AbortController().signal } as DeliveryContext
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 300; index++) await handle(at(5, `${index}`.padEnd(100_000, 'x')), context)
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  })

  test('uses a custom memory, which several processes can share', async () => {
    const table = new Map<string, number>()
    const memory: NewestMemory = {
      get: async (object) => table.get(object),
      set: async (object, epochMs) => void table.set(object, Math.max(epochMs, table.get(object) ?? 0)),
    }
    const [one, other] = [setUp({ memory }), setUp({ memory })]
    await one.receive(at(5))
    await other.receive(at(3))
    await other.receive(at(7))
    expect([one.seen, other.seen]).toEqual([['abc123 5'], ['abc123 7']])
    expect(table).toEqual(new Map([['abc123', Date.parse('2025-01-29T12:07:00Z')]]))
  })

  test('saves the newest time only, not the time of a flagged event', async () => {
    const saved: number[] = []
    const { seen, receive } = setUp({
      mode: 'flag',
      memory: { get: () => saved.at(-1), set: (_, epochMs) => void saved.push(epochMs) },
    })
    for (const minute of [5, 3]) await receive(at(minute))
    expect(seen).toEqual(['abc123 5', 'abc123 3 outdated'])
    expect(saved).toEqual([Date.parse('2025-01-29T12:05:00Z')])
  })

  test('evicts the least recently used object beyond 10,000', async () => {
    const seen: number[] = []
    const handle = newestOnly({ keyOf }, (event: ReturnType<typeof at>) => void seen.push(event.data.minute))
    const context = { signal: new AbortController().signal } as DeliveryContext
    await handle(at(5), context)
    for (let index = 0; index < 9_999; index++) await handle(at(0, `qr-${index}`), context)
    seen.length = 0
    await handle(at(3), context)
    expect(seen).toEqual([])
    await handle(at(0, 'one more'), context)
    await handle(at(3), context)
    expect(seen).toEqual([0, 3])
  })

  test('keeps an object that was used again', async () => {
    const seen: string[] = []
    const handle = newestOnly({ keyOf }, ({ data }: ReturnType<typeof at>) => void seen.push(data.id))
    const context = { signal: new AbortController().signal } as DeliveryContext
    for (let index = 0; index < 10_000; index++) await handle(at(5, `qr-${index}`), context)
    await handle(at(6, 'qr-0'), context)
    await handle(at(5, 'one more'), context)
    seen.length = 0
    for (const id of ['qr-0', 'qr-1']) await handle(at(3, id), context)
    expect(seen).toEqual(['qr-1'])
  })

  test.each<[string, unknown, RegExp, unknown?]>([
    ['without keyOf', {}, /keyOf returns the key/],
    ['without a handler', { keyOf }, /takes \({ keyOf }, handler\)/, null],
    ['with an unknown mode', { keyOf, mode: 'refuse' }, /'drop' or 'flag'\. It is "refuse"/],
    ['with a memory that has neither method', { keyOf, memory: new Set() }, /memory must have get/],
    ['with null as the memory', { keyOf, memory: null }, /memory must have get/],
    ['with a memory without set', { keyOf, memory: { get() {} } }, /memory must have get/],
    ['with a memory without get', { keyOf, memory: { set() {} } }, /memory must have get/],
  ])('throws %s', (_, wrong, message, handler = () => {}) => {
    const error = caught(() => newestOnly(wrong as never, handler as never))
    expect(error).toMatchObject({ code: 'option_invalid', message: expect.stringMatching(message) })
  })
})
