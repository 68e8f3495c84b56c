/**
 * Results, jobs and deliveries that only look right: a field that throws, a number that is none, a promise from another realm.
 * The delivery has its outcome, the retry isn't blocked, and no rejection stays unhandled.
 */
import { runInNewContext } from 'node:vm'
import { describe, expect, it, test, vi } from 'vitest'
import { toResponse } from '../../src/delivery/response.js'
import {
  type AcceptedDelivery,
  type BodySource,
  type Delivery,
  type InboxAttempt,
  memoryStore,
  PermanentError,
  type Quarantine,
  type Store,
} from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { jobOf } from '../support/handed-out.js'
import {
  HOSTILE_THENABLES,
  HOSTILE_VALUES,
  revokedProxy,
  throwValue,
  trappingProxy,
  withTraps,
} from '../support/hostile-values.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'
import { expectNothingUnhandled, watchUnhandled } from '../support/unhandled.js'

watchUnhandled()

const CLAIMED = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] as readonly string[] }

describe('a claim result', () => {
  it.each<[string, () => unknown]>([
    ['whose status throws', () => withTraps({ ...CLAIMED }, 'status')],
    ['whose attempt throws', () => withTraps({ ...CLAIMED }, 'attempt')],
    ['whose names throw', () => withTraps({ ...CLAIMED }, 'completedHandlers')],
    ['whose evictedEarly throws', () => withTraps({ ...CLAIMED }, 'evictedEarly')],
    ['whose names are a revoked Proxy', () => ({ ...CLAIMED, completedHandlers: revokedProxy([]) })],
    ['whose names are a Proxy whose traps throw', () => ({ ...CLAIMED, completedHandlers: trappingProxy([]) })],
    ['with a name that throws', () => ({ ...CLAIMED, completedHandlers: withTraps(['count'], '0') })],
    ['with a name that is no text', () => ({ ...CLAIMED, completedHandlers: [1] })],
    ['with a hole in its names', () => ({ ...CLAIMED, completedHandlers: new Array(2) })],
    ['whose names are a text', () => ({ ...CLAIMED, completedHandlers: 'count' })],
    ['whose attempt is a BigInt', () => ({ ...CLAIMED, attempt: 1n })],
    ['whose attempt is a text', () => ({ ...CLAIMED, attempt: '1' })],
    ['whose attempt is negative', () => ({ ...CLAIMED, attempt: -1 })],
    ['whose attempt is NaN', () => ({ ...CLAIMED, attempt: Number.NaN })],
    ['without a count of releases', () => ({ ...CLAIMED, releasedAttempts: undefined })],
    ['that is busy without an attempt', () => ({ status: 'busy' })],
  ])('%s gets a 503 and is reported as corrupt, and the retry is processed', async (_, make) => {
    const clock = fixedClock(EVENT_TIME)
    const inner = memoryStore({ clock })
    let isHostile = true
    const store = { ...inner, claim: (request: never) => (isHostile ? make() : inner.claim(request)) } as Store
    const { receiver, attempt, reports } = receiving({ clock, store })
    let runs = 0
    receiver.on('qr.scanned', () => void runs++)
    expect((await attempt()).http).toBe(503)
    expect([runs, reports.map(({ code }) => code)]).toEqual([0, ['store_corrupt']])
    isHostile = false
    expect((await attempt()).outcome).toMatchObject({ status: 'processed', attempt: 1 })
    await expectNothingUnhandled()
  })

  it('that is frozen is used', async () => {
    const store = { ...memoryStore(), claim: () => Object.freeze({ ...CLAIMED, completedHandlers: Object.freeze([]) }) }
    const { receiver, attempt, reports } = receiving({ store: store as Store, clock: fixedClock(EVENT_TIME) })
    receiver.on('qr.scanned', () => {}, { name: 'count' }).on('qr.scanned', () => {}, { name: 'mail' })
    expect((await attempt()).http).toBe(200)
    expect(reports.map(({ code }) => code)).not.toContain('store_corrupt')
  })
})

describe('a schema’s issues', () => {
  const hostileMessage = () => withTraps({}, 'message')

  it.each<[string, () => unknown]>([
    ['that are null elements', () => [null]],
    ['that are revoked', () => revokedProxy([])],
    ['with a revoked element', () => [revokedProxy()]],
    ['with a message that throws', () => [hostileMessage()]],
    ['with a message that is a symbol', () => [{ message: Symbol('no') }]],
    ['without a message', () => [{}]],
    ['with a path that is revoked', () => [{ message: 'no', path: revokedProxy([]) }]],
    ['with a path of symbols and objects', () => [{ message: 'no', path: [Symbol('a'), { key: Symbol('b') }, null] }]],
    ['that are a number', () => 5],
    ['that are an iterable, but no array', () => new Set([{ message: 'no' }])],
    ['that are empty', () => []],
  ])('%s: no handler runs, and the delivery is refused or fails', async (_, make) => {
    const quarantine = memoryQuarantine()
    let isHostile = true
    const validate = (value: unknown) => (isHostile ? { issues: make() } : { value })
    const schemas = { 'qr.scanned': { '~standard': { version: 1, vendor: 'test', validate } } } as never
    const { receiver, attempt, reports } = receiving({ schemas, quarantine })
    let runs = 0
    receiver.on('qr.scanned', () => void runs++)
    const { outcome, http } = await attempt()
    expect([200, 500]).toContain(http)
    expect([runs, reports.length]).toEqual([0, 1])
    expect(['schema_refused', 'handler_failed']).toContain(reports[0]?.code)
    isHostile = false
    // A refused delivery is finished only by being reprocessed.
    if (outcome.status === 'failed') expect((await attempt()).outcome.status).toBe('processed')
    else expect(quarantine.codes).toEqual(['schema_refused'])
    await expectNothingUnhandled()
  })

  it('are never asked for if the schema’s definition throws: createReceiver refuses it', () => {
    const schemas = { 'qr.scanned': withTraps({}, '~standard') }
    expect(() => receiving({ schemas: schemas as never })).toThrow(expect.objectContaining({ code: 'option_invalid' }))
  })
})

describe('a body', () => {
  const streamOf = (next: () => unknown): BodySource =>
    ({ [Symbol.asyncIterator]: () => ({ next, return: next }) }) as unknown as BodySource

  it.each<[string, () => unknown]>([
    ['that is a revoked Proxy', () => revokedProxy()],
    ['that is a Proxy whose traps throw', () => trappingProxy()],
    ['that is a symbol', () => Symbol('body')],
    ['that is undefined', () => undefined],
    ['whose iterator throws', () => withTraps({}, Symbol.asyncIterator as never)],
    ['whose iterator is null', () => ({ [Symbol.asyncIterator]: () => null })],
    ['whose iterator rejects with null', () => streamOf(() => Promise.reject(null))],
    ['whose iterator returns null', () => streamOf(() => null)],
    ['whose iterator returns a revoked Proxy', () => streamOf(() => revokedProxy())],
    ['whose chunk is a revoked Proxy', () => streamOf(async () => ({ done: false, value: revokedProxy() }))],
    ['whose reader throws', () => ({ getReader: () => revokedProxy() })],
    ['whose reader can’t be released', () => ({ getReader: () => ({ read: async () => null, cancel: null }) })],
    [
      'whose read returns null',
      () => ({ read: (consumer: { fail(error: unknown): void }) => consumer.fail(null) ?? null }),
    ],
    ['whose read throws a symbol', () => ({ read: () => throwValue(Symbol('no')) })],
    ['that fails twice and then ends', () => ({ read: failTwice })],
    ['that is marked as parsed with a hint that throws', () => withTraps({}, 'alreadyParsed')],
  ])('%s is refused', async (_, make) => {
    const { receiver, attempt, reports, clock } = receiving()
    receiver.on('qr.scanned', () => expect.unreachable())
    const { http } = await attempt(undefined, { body: make() as BodySource })
    expect([400, 408, 500]).toContain(http)
    expect(reports).toHaveLength(1)
    await clock.advance(MINUTE)
    await expectNothingUnhandled()
  })
})

function failTwice(consumer: { fail(error: unknown): void; end(): void }): () => void {
  consumer.fail(revokedProxy())
  consumer.fail(null)
  consumer.end()
  return () => {}
}

describe('a delivery', () => {
  const TRAPPED: ReadonlyArray<keyof Delivery> = [
    'method',
    'header',
    'headers',
    'body',
    'waitUntil',
    'freezesAfterResponse',
  ]

  it.each(TRAPPED)('whose %s throws has an outcome, and the next one is processed', async (field) => {
    const { receiver, deliver, clock, outcomes } = receiving({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => pause(clock, 10 * SECOND))
    void receiver.receive(withTraps({ ...deliveryOf() }, field) as Delivery)
    await clock.advance(30 * SECOND)
    expect(outcomes.length).toBeGreaterThan(0)
    for (const outcome of outcomes) expect(toResponse(outcome).status).toBeGreaterThanOrEqual(200)
    void deliver()
    await clock.advance(30 * SECOND)
    expect(['processed', 'duplicate', 'unfinished']).toContain(outcomes.at(-1)?.status)
    expect(clock.pendingTimers()).toBe(0)
    await expectNothingUnhandled()
  })

  it.each([null, undefined, 5, 'text'])('that is %s has an outcome', async (delivery) => {
    const { receiver } = receiving()
    const outcome = await receiver.receive(delivery as never)
    expect(toResponse(outcome).status).toBeGreaterThanOrEqual(400)
    await expectNothingUnhandled()
  })
})

describe('a job of an inbox', () => {
  const attempt: InboxAttempt = { number: 1, last: false }

  it.each<[string, () => unknown]>([
    ['that is null', () => null],
    ['that is empty', () => ({})],
    ['that is a revoked Proxy', () => revokedProxy()],
    ['without headers', () => ({ ...jobOf(), headers: null })],
    ['whose headers are revoked', () => ({ ...jobOf(), headers: revokedProxy() })],
    ['whose body is a text', () => ({ ...jobOf(), rawBody: '{}' })],
    ['whose body is a revoked Proxy', () => ({ ...jobOf(), rawBody: revokedProxy() })],
    ['whose time is no number', () => ({ ...jobOf(), receivedAt: Symbol('no') })],
  ])('%s has an outcome', async (_, make) => {
    const { receiver } = receiving({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => {})
    let isThrown = false
    try {
      await receiver.process(make() as AcceptedDelivery, attempt)
    } catch {
      isThrown = true
    }
    expect(isThrown, 'process throws or rejects').toBe(false)
    await expectNothingUnhandled()
  })

  it.each<[string, () => unknown]>([
    ['null', () => null],
    ['a revoked Proxy', () => revokedProxy()],
    ['an object whose fields throw', () => withTraps({}, 'number', 'last', 'over')],
  ])('whose attempt is %s has an outcome, and the next attempt isn’t blocked', async (_, make) => {
    const { receiver } = receiving({ quarantine: memoryQuarantine() })
    let runs = 0
    receiver.on('qr.scanned', () => {
      if (++runs === 1) throw new Error('no database')
    })
    let isThrown = false
    try {
      await receiver.process(jobOf(), make() as InboxAttempt)
    } catch {
      isThrown = true
    }
    expect(isThrown, 'process throws or rejects').toBe(false)
    expect((await receiver.process(jobOf(), { number: 2, last: false })).status).not.toBe('busy')
  })
})

describe('a promise from another realm that rejects', () => {
  const foreignRejection = (): Promise<never> => runInNewContext('Promise.reject(new Error("from another realm"))')

  it.each(['onOutcome', 'onError'] as const)('and is returned by %s is reported', async (hook) => {
    const lines: string[] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
    const { receiver, attempt, reports } = receiving({ [hook]: foreignRejection })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    expect((await attempt()).http).toBe(500)
    await expectNothingUnhandled()
    const texts = [...lines, ...reports.map(({ message }) => message)].join()
    expect(texts).toContain(`${hook} threw`)
    spy.mockRestore()
  })

  it('and is returned by a handler fails the attempt', async () => {
    const { receiver, attempt, reports } = receiving()
    receiver.on('qr.scanned', foreignRejection)
    expect((await attempt()).http).toBe(500)
    expect(reports).toMatchObject([{ code: 'handler_failed', error: { message: 'from another realm' } }])
    await expectNothingUnhandled()
  })

  it('and is returned by waitUntil changes nothing', async () => {
    const { receiver, attempt, deliver, clock } = receiving()
    receiver.on('qr.scanned', () => pause(clock, 10 * SECOND))
    expect((await attempt(undefined, { waitUntil: foreignRejection })).outcome.status).toBe('unfinished')
    await clock.advance(10 * SECOND)
    expect((await deliver()).status).toBe('duplicate')
    await expectNothingUnhandled()
  })
})

describe('a transaction whose function returns', () => {
  const REJECTING = HOSTILE_THENABLES.filter(({ settles }) => settles === 'error')

  /** A store that runs the function and commits if it resolves. */
  function openTransactional() {
    const clock = fixedClock(EVENT_TIME)
    const transaction = () => async (work: () => unknown) => void (await work())
    const store = { ...memoryStore({ clock }), transaction } as unknown as Store<(work: () => unknown) => Promise<void>>
    return receiving<Record<never, never>, (work: () => unknown) => Promise<void>>({ clock, store })
  }

  it.each<[string, () => unknown]>([
    ...REJECTING.map(({ name, make }): [string, () => unknown] => [`a thenable that ${name}`, make]),
    ['a rejected promise of another realm', () => runInNewContext('Promise.reject(new Error("no"))')],
    ['an object whose then throws', () => withTraps({}, 'then')],
    ['a revoked Proxy', () => revokedProxy()],
  ])('%s may be started again', async (_, work) => {
    const { receiver, attempt } = openTransactional()
    receiver.on('qr.scanned', async (_event, { transaction }) => {
      await transaction(work).catch(() => {})
      await transaction(() => {})
    })
    expect((await attempt()).outcome.status).toBe('processed')
    await expectNothingUnhandled()
  })
})

describe('a quarantine whose discard', () => {
  it.each<[string, () => Partial<Quarantine>]>([
    ['throws when it is read', () => withTraps({}, 'discard')],
    ['isn’t a function', () => ({ discard: 5 as never })],
  ])('%s: a failing delivery has its outcome, and the retry isn’t blocked', async (_, make) => {
    const clock = fixedClock(Date.parse(EVENT_TIME) + 50 * SECOND)
    const traits = make()
    const sink = Object.defineProperties(async () => {}, Object.getOwnPropertyDescriptors(traits))
    let scene: ReturnType<typeof receiving>
    try {
      scene = receiving({ clock, quarantine: sink as unknown as Quarantine })
    } catch (error) {
      expect(error).toMatchObject({ code: 'option_invalid' })
      return
    }
    const { receiver, attempt, reports } = scene
    let runs = 0
    receiver.on('qr.scanned', () => {
      if (++runs === 1) throw new Error('no database')
    })
    expect((await attempt()).http).toBe(500)
    expect(reports.map(({ code }) => code)).toContain('handler_failed')
    expect((await attempt()).outcome.status).toBe('processed')
    await expectNothingUnhandled()
  })
})

test.each(HOSTILE_VALUES)('start of an inbox throws $name: it is reported and started again', async ({ make }) => {
  const value = make()
  let starts = 0
  const start = () => {
    if (++starts === 1) throw value
  }
  const { receiver, reports, clock } = receiving({ inbox: { accept: async () => {}, start } })
  receiver.on('qr.scanned', () => {})
  await clock.advance(10 * SECOND)
  expect([starts, reports.map(({ code }) => code)]).toEqual([2, ['inbox_unavailable']])
  expect(Object.is(reports[0]?.error, value)).toBe(true)
  await expectNothingUnhandled()
})

test('a PermanentError whose fields throw quarantines the delivery', async () => {
  const error = withTraps(new PermanentError('no such customer'), 'message', 'stack', 'name', 'cause', 'code')
  const quarantine = memoryQuarantine()
  const { receiver, attempt, reports } = receiving({ quarantine })
  receiver.on('qr.scanned', () => throwValue(error))
  expect((await attempt()).http).toBe(200)
  expect(quarantine.codes).toEqual(['permanent_error'])
  expect(reports.every((report) => Object.is(report.error, error))).toBe(true)
  expect([...quarantine.entries.values()].map((entry) => typeof entry.error)).toEqual(['string'])
})

describe('something that is no delivery at all gets a 500 and is reported', () => {
  const REPORT = {
    code: 'receiver_failed',
    message: 'A delivery failed for an unexpected reason. GoValid gets a 500 and retries.',
  }

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a delivery whose body throws', withTraps({ method: 'POST', header: () => undefined, body: '' }, 'body')],
  ])('%s', async (_, value) => {
    const { receiver, reports } = receiving()
    const outcome = await receiver.receive(value as Delivery)
    expect(outcome).toEqual({ status: 'failed', error: expect.anything() })
    expect(reports).toEqual([{ ...REPORT, error: (outcome as { error: unknown }).error }])
    expect((await receiver.status()).processing).toBe(0)
  })

  test('a job without an attempt', async () => {
    const { receiver, reports } = receiving()
    const outcome = await receiver.process(jobOf(), undefined as unknown as InboxAttempt)
    expect(outcome).toEqual({ status: 'failed', error: expect.any(TypeError) })
    expect(reports).toEqual([{ ...REPORT, error: (outcome as { error: unknown }).error }])
  })
})
