/**
 * Everything that an application passes in may throw, return or resolve to anything. In each place and for each value: the delivery has
 * its outcome, the retry isn't blocked, the quarantine holds the original bytes, and the report names the real failure.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Delivery,
  type ErrorReport,
  memoryStore,
  PermanentError,
  type QuarantineEntry,
  type ReceiverOptions,
  type Store,
} from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { HOSTILE_THENABLES, HOSTILE_VALUES } from '../support/hostile-values.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND, signatureOf } from '../support/receiving.js'
import { expectNothingUnhandled, watchUnhandled } from '../support/unhandled.js'

/** Replaces a healthy function of the application by one that throws, or returns a hostile value. */
type Hostile = <Input extends unknown[], Output>(healthy: (...input: Input) => Output) => (...input: Input) => Output

/** The parts that a place puts its hostile function into. */
interface Parts {
  readonly clock: FixedClock
  readonly store: Store
  readonly quarantine: MemoryQuarantine
}

interface Setup {
  readonly options?: Partial<ReceiverOptions<never, never>>
  /** Default: a handler that succeeds. */
  readonly handler?: () => unknown
  /** A second handler of the same event. */
  readonly second?: () => unknown
  readonly delivery?: Partial<Delivery>
}

interface Expected {
  readonly http: number | readonly number[]
  /** A report with this code. `undefined`: no report but of the handler's own failure. */
  readonly code?: ErrorReport['code']
  /** Whether the report's error is the thrown value. */
  readonly namesValue?: boolean
  /** The code of the quarantine entry. */
  readonly entry?: QuarantineEntry['code']
  readonly retry: 'processed' | 'duplicate' | 'accepted'
}

/** A function of the application that may be hostile. */
interface Place {
  readonly name: string
  /** The age of the event. Default: 50 s, so that a failure is quarantined early. */
  readonly ageMs?: number
  setup(hostile: Hostile, parts: Parts): Setup
  /** The function throws, or its promise rejects. */
  readonly failing: Expected
  /** It returns a value that isn't what the contract asks for. */
  readonly returning: Expected
}

const failHandler = () => {
  throw new Error('the handler’s own failure')
}

const PROCESSED: Expected = { http: 200, retry: 'duplicate' }
const HANDLER_FAILED: Expected = {
  http: 500,
  code: 'handler_failed',
  namesValue: true,
  entry: 'retry_pending',
  retry: 'processed',
}
const KEY_FAILED: Expected = { http: 200, code: 'idempotency_key_failed', retry: 'duplicate' }
const CANT_COMPLETE: Expected = { http: 200, code: 'completion_delayed', retry: 'duplicate' }
const CANT_RELEASE: Expected = { http: 500, code: 'handler_failed', entry: 'retry_pending', retry: 'processed' }
const LEFT_RUNNING: Expected = { http: 503, entry: 'retry_pending', retry: 'duplicate' }
const DROPPED_HOOK: Expected = { http: 500, code: 'hook_failed', entry: 'retry_pending', retry: 'processed' }
const PERMANENT: Expected = { http: 200, code: 'permanent_error', entry: 'permanent_error', retry: 'duplicate' }

const PLACES: readonly Place[] = [
  {
    name: 'a handler',
    setup: (hostile) => ({ handler: hostile(() => {}) }),
    failing: HANDLER_FAILED,
    returning: PROCESSED,
  },
  {
    name: 'one of two handlers',
    setup: (hostile) => ({ handler: hostile(() => {}), second: () => {} }),
    failing: HANDLER_FAILED,
    returning: PROCESSED,
  },
  {
    name: 'both of two handlers',
    setup: (hostile) => ({ handler: hostile(() => {}), second: hostile(() => {}) }),
    failing: HANDLER_FAILED,
    returning: PROCESSED,
  },
  {
    name: 'transaction of the store',
    setup: (hostile, { store }) => ({ options: { store: { ...store, transaction: hostile(() => {}) } as never } }),
    failing: HANDLER_FAILED,
    returning: { ...HANDLER_FAILED, namesValue: false },
  },
  {
    name: 'the function that a transaction is',
    setup: (hostile, { store }) => ({
      options: { store: { ...store, transaction: () => hostile((work: () => void) => work()) } as never },
    }),
    failing: HANDLER_FAILED,
    returning: PROCESSED,
  },
  {
    name: 'onOutcome',
    setup: (hostile) => ({ options: { onOutcome: hostile(() => {}) } }),
    failing: { http: 200, code: 'hook_failed', namesValue: true, retry: 'duplicate' },
    returning: PROCESSED,
  },
  {
    name: 'onError',
    setup: (hostile) => ({ options: { onError: hostile(() => {}) }, handler: hostile(() => {}) }),
    failing: DROPPED_HOOK,
    returning: { http: 200, retry: 'duplicate' },
  },
  {
    name: 'claim of the store',
    setup: (hostile, { store }) => ({ options: { store: { ...store, claim: hostile(store.claim) } } }),
    failing: {
      http: 503,
      code: 'store_unavailable',
      namesValue: true,
      entry: 'retry_pending',
      retry: 'processed',
    },
    returning: { http: 503, code: 'store_corrupt', entry: 'retry_pending', retry: 'processed' },
  },
  {
    name: 'complete of the store',
    setup: (hostile, { store }) => ({ options: { store: { ...store, complete: hostile(store.complete) } } }),
    failing: CANT_COMPLETE,
    returning: CANT_COMPLETE,
  },
  {
    name: 'release of the store',
    setup: (hostile, { store }) => ({
      options: { store: { ...store, release: hostile(store.release) } },
      handler: once(failHandler),
    }),
    failing: CANT_RELEASE,
    returning: CANT_RELEASE,
  },
  {
    name: 'renew of the store',
    setup: (hostile, { store, clock }) => ({
      options: { store: { ...store, renew: hostile(store.renew) } },
      handler: () => pause(clock, 12 * SECOND),
    }),
    failing: LEFT_RUNNING,
    returning: LEFT_RUNNING,
  },
  {
    name: 'a quarantine on the last attempt',
    ageMs: 46 * MINUTE,
    setup: (hostile, { quarantine }) => ({
      options: { quarantine: Object.assign(hostile(quarantine), { discard: quarantine.discard }) },
      handler: once(failHandler),
    }),
    failing: { http: 503, code: 'quarantine_unavailable', namesValue: true, retry: 'processed' },
    returning: { http: 200, code: 'attempts_exhausted', retry: 'duplicate' },
  },
  {
    name: 'an early entry into the quarantine',
    setup: (hostile, { quarantine }) => ({
      options: { quarantine: Object.assign(hostile(quarantine), { discard: quarantine.discard }) },
      handler: once(failHandler),
    }),
    failing: { http: 500, code: 'quarantine_unavailable', namesValue: true, retry: 'processed' },
    returning: { http: 500, code: 'retry_pending', retry: 'processed' },
  },
  {
    name: 'discard of the quarantine',
    setup: (hostile, { quarantine }) => ({
      options: {
        quarantine: Object.assign((entry: QuarantineEntry) => quarantine(entry), {
          discard: hostile(quarantine.discard as (key: string) => Promise<void>),
        }),
      },
    }),
    failing: { http: 200, code: 'quarantine_unavailable', retry: 'duplicate' },
    returning: PROCESSED,
  },
  {
    name: 'a schema',
    setup: (hostile) => ({
      options: {
        schemas: {
          'qr.scanned': {
            '~standard': { version: 1, vendor: 'test', validate: hostile((data: unknown) => ({ value: data })) },
          },
        } as never,
      },
    }),
    failing: HANDLER_FAILED,
    returning: { ...HANDLER_FAILED, namesValue: false },
  },
  {
    name: 'the secret function',
    setup: (hostile) => ({ options: { secret: hostile(() => 'your_webhook_secret') } }),
    failing: { http: 503, code: 'secret_unavailable', namesValue: true, retry: 'processed' },
    returning: { http: 500, code: 'secret_missing', retry: 'processed' },
  },
  {
    name: 'idempotencyKey',
    setup: (hostile) => ({ options: { idempotencyKey: hostile(() => 'the key') } }),
    failing: { ...KEY_FAILED, retry: 'processed' },
    returning: { ...KEY_FAILED, retry: 'processed' },
  },
  {
    name: 'waitUntil',
    setup: (hostile, { clock }) => ({
      delivery: { waitUntil: hostile(() => {}) },
      handler: () => pause(clock, 12 * SECOND),
    }),
    failing: LEFT_RUNNING,
    returning: LEFT_RUNNING,
  },
  {
    name: 'accept of an inbox',
    setup: (hostile) => ({ options: { inbox: { accept: hostile(async () => {}) } } }),
    failing: {
      http: 503,
      code: 'inbox_unavailable',
      namesValue: true,
      entry: 'retry_pending',
      retry: 'accepted',
    },
    returning: { http: 200, retry: 'accepted' },
  },
  {
    name: 'header of a delivery',
    setup: (hostile) => ({ delivery: { header: hostile((name) => HEADERS[name]) } }),
    failing: { http: [401, 500], retry: 'processed' },
    returning: { http: 401, code: 'signature_missing', retry: 'processed' },
  },
  {
    name: 'headers of a delivery',
    setup: (hostile) => ({ delivery: { headers: hostile(() => HEADERS) }, handler: throwPermanent }),
    failing: PERMANENT,
    returning: PERMANENT,
  },
]

const BYTES = new TextEncoder().encode(JSON.stringify(scannedEvent()))
const HEADERS: Readonly<Record<string, string>> = { 'x-govalid-signature': signatureOf(BYTES) }

function throwPermanent(): never {
  throw new PermanentError('no such customer')
}

function once(act: () => unknown): () => unknown {
  let calls = 0
  return () => (++calls === 1 ? act() : undefined)
}

const printed: string[] = []

watchUnhandled()

beforeEach(() => {
  printed.length = 0
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line))
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Delivers while a function of the place acts, and then again after it is healthy. */
async function play(place: Place, act: () => unknown) {
  const clock = fixedClock(Date.parse(EVENT_TIME) + (place.ageMs ?? 50 * SECOND))
  const store = memoryStore({ clock })
  const quarantine = memoryQuarantine()
  let isHostile = true
  const hostile: Hostile =
    (healthy) =>
    (...input) =>
      isHostile ? (act() as never) : healthy(...input)
  const { options, handler = () => {}, second, delivery } = place.setup(hostile, { clock, store, quarantine })
  const all = { store, quarantine, ...options, clock } as NonNullable<Parameters<typeof receiving>[0]>
  const { receiver, attempt, reports } = receiving(all)
  let runs = 0
  const isTransactional = (all.store as Partial<Store>).transaction !== undefined
  receiver.on('qr.scanned', (_, context) => {
    runs++
    if (!isTransactional || !isHostile) return handler()
    return (context as unknown as { transaction(work: () => void): Promise<unknown> }).transaction(() => {})
  })
  if (second) receiver.on('qr.scanned', second)
  const first = await attempt(BYTES, delivery)
  const runsAtFirst = runs
  await clock.advance(15 * MINUTE + 10 * SECOND)
  isHostile = false
  await clock.advance(30 * SECOND)
  const retry = await attempt(BYTES, delivery)
  await clock.advance(30 * SECOND)
  return { first, retry, runsAtFirst, reports, clock, quarantine, status: await receiver.status() }
}

type Played = Awaited<ReturnType<typeof play>>

/** Compares without printing, because printing a hostile value throws. */
async function expectPlayed(played: Played, expected: Expected, thrown?: { readonly value: unknown }): Promise<void> {
  const { first, retry, reports, clock, quarantine } = played
  await expectNothingUnhandled()
  expect([expected.http].flat(), 'the response').toContain(first.http)
  expect(first.ms, 'milliseconds').toBeLessThanOrEqual(4510)
  expect(retry.outcome.status, 'the retry').toBe(expected.retry)
  expect(clock.pendingTimers(), 'pending timers').toBe(0)
  const { code } = expected
  const codes = [...reports.map((report) => report.code), ...printed.map((line) => line.split(/[ :]+/)[1])]
  if (code) expect(codes).toContain(code)
  if (code && thrown && expected.namesValue) {
    const named = reports.filter((report) => report.code === code).some(({ error }) => isOrHolds(error, thrown.value))
    expect(named, 'the report names the value').toBe(true)
  }
  if (expected.entry) expect(quarantine.codes).toContain(expected.entry)
  for (const entry of quarantine.entries.values()) expectComplete(entry)
}

function isOrHolds(error: unknown, value: unknown): boolean {
  if (Object.is(error, value)) return true
  // Two handlers failed.
  const { errors } = error as { readonly errors?: unknown }
  return Array.isArray(errors) && errors.length === 2 && errors.every((each) => Object.is(each, value))
}

function expectComplete({ rawBody, headers, eventType }: QuarantineEntry): void {
  expect([...rawBody]).toEqual([...BYTES])
  expect(headers['x-govalid-signature']).toBe(HEADERS['x-govalid-signature'])
  expect(eventType).toBe('qr.scanned')
}

describe.each(PLACES)('$name', (place) => {
  describe.each(HOSTILE_VALUES)('and $name', ({ make, throwsOnThen }) => {
    it('that is thrown', async () => {
      const value = make()
      const played = await play(place, () => {
        throw value
      })
      await expectPlayed(played, place.failing, { value })
    })

    it('that is the reason of a rejection', async () => {
      const value = make()
      const played = await play(place, () => Promise.reject(value))
      await expectPlayed(played, place.failing, { value })
    })

    it('that is returned', async () => {
      const value = make()
      await expectPlayed(await play(place, () => value), throwsOnThen ? failingUnnamed(place) : place.returning)
    })

    it('that is the value of a promise', async () => {
      const value = make()
      await expectPlayed(await play(place, async () => value), throwsOnThen ? failingUnnamed(place) : place.returning)
    })
  })

  it.each(HOSTILE_THENABLES)('and a thenable that $name', async ({ make, settles }) => {
    const played = await play(place, () => make())
    if (settles === 'value') await expectPlayed(played, place.returning)
    if (settles === 'error') await expectPlayed(played, place.failing)
    await expectNothingUnhandled()
    expect(played.clock.pendingTimers()).toBe(0)
    expect(played.first.ms).toBeLessThanOrEqual(4510)
    expect(['processed', 'duplicate', 'accepted', 'quarantined']).toContain(played.retry.outcome.status)
  })
})

function failingUnnamed({ failing }: Place): Expected {
  return { ...failing, namesValue: false }
}
