/**
 * The exact fields of the outcomes that need a claim. `receive`, `process` and `reprocess` return the listed fields and no others, and
 * `onOutcome` receives the same object.
 */
import { describe, expect, test } from 'vitest'
import { memoryStore, PermanentError, type Store } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { entryOf, jobOf, keyOf } from '../support/handed-out.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, receiving, SECOND, signatureOf } from '../support/receiving.js'

const EVENT = scannedEvent()
const NO_DATABASE = new Error('no database')
const DISK_FULL = new Error('disk full')

/** The fields of a delivery that was read as an event, but not claimed. */
const READ = { event: EVENT, idempotencyKey: keyOf(JSON.stringify(EVENT)), secretIndex: 0 }
/** The fields of a delivery whose first attempt was counted. */
const FIRST = { ...READ, attempt: 1, attemptsLeft: 4 }
const SECOND_ATTEMPT = { ...READ, attempt: 2, attemptsLeft: 3 }

/** Any text of the receiver's own. */
const SOME_TEXT: unknown = expect.any(String)

/** A store that returns a promise from every call. */
function asyncStore(inner: Store): Store {
  return {
    claim: async (request) => inner.claim(request),
    renew: async (request) => inner.renew(request),
    complete: async (request) => inner.complete(request),
    release: async (request) => inner.release(request),
  }
}

const failingSink = () => Promise.reject(DISK_FULL)
const hangs = () => new Promise<never>(() => {})

const SYNC = { name: 'a synchronous handler', wrap: (fn: () => void) => fn as () => unknown }
const ASYNC = { name: 'an asynchronous handler', wrap: (fn: () => void) => async () => fn() }

describe.each([
  { stores: 'a synchronous store', storeOf: (inner: Store) => inner },
  { stores: 'an asynchronous store', storeOf: asyncStore },
])('with $stores', ({ storeOf }) => {
  const open = (options: Parameters<typeof receiving>[0] = {}) => {
    const clock = options.clock ?? fixedClock(EVENT_TIME)
    const store = storeOf(memoryStore({ clock }))
    return receiving({ ...options, clock, store: options.store ?? store })
  }

  describe.each([SYNC, ASYNC])('and $name', ({ wrap }) => {
    test('returns the fields of processed', async () => {
      const { receiver, deliver, outcomes } = open()
      receiver.on(
        'qr.scanned',
        wrap(() => {}),
      )
      const outcome = await deliver()
      expect(outcome).toEqual({ status: 'processed', ...FIRST })
      expect(outcomes).toEqual([outcome])
    })

    test('returns the fields of processed on the second attempt', async () => {
      const { receiver, deliver } = open()
      let calls = 0
      receiver.on(
        'qr.scanned',
        wrap(() => {
          if (++calls === 1) throw NO_DATABASE
        }),
      )
      await deliver()
      expect(await deliver()).toEqual({ status: 'processed', ...SECOND_ATTEMPT })
    })

    test('returns the fields of failed', async () => {
      const { receiver, deliver, outcomes } = open()
      receiver.on(
        'qr.scanned',
        wrap(() => {
          throw NO_DATABASE
        }),
      )
      const outcome = await deliver()
      expect(outcome).toEqual({ status: 'failed', ...FIRST, error: NO_DATABASE })
      expect(outcomes).toEqual([outcome])
    })

    test('returns the fields of failed in two handlers', async () => {
      const { receiver, deliver } = open()
      const refused = new PermanentError('no such customer')
      for (const error of [NO_DATABASE, refused])
        receiver.on(
          'qr.scanned',
          wrap(() => {
            throw error
          }),
        )
      const outcome = await deliver()
      expect(outcome).toEqual({ status: 'failed', ...FIRST, error: expect.any(AggregateError) })
      expect(outcome).toMatchObject({ error: { errors: [NO_DATABASE, refused] } })
    })

    test.each([
      ['with', memoryQuarantine()],
      ['without', undefined],
    ])('returns the fields of quarantined (permanent_error) %s a quarantine', async (_, quarantine) => {
      const { receiver, deliver, outcomes } = open({ ...(quarantine && { quarantine }) })
      const error = new PermanentError('no such customer')
      receiver.on(
        'qr.scanned',
        wrap(() => {
          throw error
        }),
      )
      const outcome = await deliver()
      expect(outcome).toEqual({ status: 'quarantined', ...FIRST, code: 'permanent_error', error })
      expect(outcomes).toEqual([outcome])
    })

    test.each([
      ['with', memoryQuarantine()],
      ['without', undefined],
    ])(
      'returns the fields of quarantined (attempts_exhausted) after five failures, %s a quarantine',
      async (_, quarantine) => {
        const { receiver, deliver } = open({ ...(quarantine && { quarantine }) })
        receiver.on(
          'qr.scanned',
          wrap(() => {
            throw NO_DATABASE
          }),
        )
        for (let count = 0; count < 4; count++) await deliver()
        const fifth = { ...READ, attempt: 5, attemptsLeft: 0 }
        const outcome = await deliver()
        expect(outcome).toEqual({ status: 'quarantined', ...fifth, code: 'attempts_exhausted', error: NO_DATABASE })
      },
    )

    test('returns the fields of unavailable (quarantine_unavailable) after a PermanentError', async () => {
      const { receiver, deliver } = open({ quarantine: failingSink })
      receiver.on(
        'qr.scanned',
        wrap(() => {
          throw new PermanentError('no such customer')
        }),
      )
      const unavailable = { status: 'unavailable', code: 'quarantine_unavailable', error: DISK_FULL }
      expect(await deliver()).toEqual({ ...unavailable, ...FIRST })
    })

    test('returns the fields of processed by the job of an inbox', async () => {
      const { receiver } = open()
      receiver.on(
        'qr.scanned',
        wrap(() => {}),
      )
      expect(await receiver.process(jobOf(), { number: 7, last: false })).toEqual({ status: 'processed', ...FIRST })
    })

    test('returns the fields of processed by reprocess', async () => {
      const { receiver } = open()
      receiver.on(
        'qr.scanned',
        wrap(() => {}),
      )
      expect(await receiver.reprocess(entryOf())).toEqual({ status: 'processed', ...FIRST })
    })
  })

  test('returns the fields of duplicate', async () => {
    const { receiver, deliver, outcomes } = open()
    receiver.on('qr.scanned', () => {})
    await deliver()
    const duplicate = { status: 'duplicate', ...READ }
    expect(await deliver()).toEqual(duplicate)
    expect(await receiver.process(jobOf(), { number: 1, last: false })).toEqual(duplicate)
    expect(await receiver.reprocess(entryOf())).toEqual(duplicate)
    expect(outcomes.slice(1)).toEqual([duplicate, duplicate, duplicate])
  })

  test('returns the fields of ignored', async () => {
    const { receiver, deliver } = open()
    const ignored = { status: 'ignored', ...READ }
    expect(await deliver()).toEqual(ignored)
    expect(await receiver.process(jobOf(), { number: 1, last: false })).toEqual(ignored)
    expect(await receiver.reprocess(entryOf())).toEqual(ignored)
  })

  test('returns the fields of busy', async () => {
    const { clock, receiver, deliver } = open()
    receiver.on('qr.scanned', hangs)
    void deliver()
    await clock.advance(0)
    expect(await deliver()).toEqual({ status: 'busy', ...FIRST })
    expect(await receiver.process(jobOf(), { number: 1, last: false })).toEqual({ status: 'busy', ...FIRST })
    expect(await receiver.reprocess(entryOf())).toEqual({ status: 'busy', ...FIRST })
    await clock.advance(31 * SECOND)
    expect(await deliver()).toEqual({ status: 'busy', ...SECOND_ATTEMPT })
  })

  test('returns the fields of unfinished', async () => {
    const { receiver, attempt } = open()
    receiver.on('qr.scanned', hangs)
    expect((await attempt()).outcome).toEqual({ status: 'unfinished', ...FIRST })
  })

  test('returns the fields of unfinished by the job of an inbox when the receiver closes', async () => {
    const { clock, receiver } = open()
    receiver.on('qr.scanned', hangs)
    const processed = receiver.process(jobOf(), { number: 1, last: true })
    await clock.advance(0)
    void receiver.close({ timeoutMs: 1000 })
    await clock.advance(1000)
    expect(await processed).toEqual({ status: 'unfinished', ...FIRST })
  })

  test('returns the fields of failed with a handler that reaches handlerTimeoutMs', async () => {
    const { receiver, attempt } = open({ handlerTimeoutMs: 1000 })
    receiver.on('qr.scanned', hangs)
    const { outcome } = await attempt()
    expect(outcome).toEqual({ status: 'failed', ...FIRST, error: expect.any(Error) })
    expect(outcome).toMatchObject({ error: { code: 'handler_timeout' } })
  })

  test('returns the fields of failed on the last attempt of an inbox without a quarantine', async () => {
    const { receiver } = open()
    receiver.on('qr.scanned', () => Promise.reject(NO_DATABASE))
    expect(await receiver.process(jobOf(), { number: 2, last: true })).toEqual({
      status: 'failed',
      ...FIRST,
      error: NO_DATABASE,
    })
  })

  test('returns the fields of quarantined (attempts_exhausted) on the last attempt of an inbox', async () => {
    const { receiver } = open({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => Promise.reject(NO_DATABASE))
    expect(await receiver.process(jobOf(), { number: 2, last: true })).toEqual({
      status: 'quarantined',
      ...FIRST,
      code: 'attempts_exhausted',
      error: NO_DATABASE,
    })
  })

  test('returns the fields of quarantined (attempts_exhausted) when reprocessing fails', async () => {
    const { receiver } = open({ quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => Promise.reject(NO_DATABASE))
    expect(await receiver.reprocess(entryOf())).toEqual({
      status: 'quarantined',
      ...FIRST,
      code: 'attempts_exhausted',
      error: NO_DATABASE,
    })
  })

  describe('on the last attempt, by age', () => {
    const openLast = (options: Parameters<typeof receiving>[0] = {}) =>
      open({ quarantine: memoryQuarantine(), ...options, clock: fixedClock(Date.parse(EVENT_TIME) + 50 * MINUTE) })
    const exhausted = { status: 'quarantined', code: 'attempts_exhausted' }

    test('returns the fields of quarantined (attempts_exhausted) with handlers that run at the deadline', async () => {
      const { receiver, attempt } = openLast()
      receiver.on('qr.scanned', hangs)
      expect((await attempt()).outcome).toEqual({ ...exhausted, ...FIRST, error: SOME_TEXT })
    })

    test('returns the fields of quarantined (attempts_exhausted) while another attempt is processed', async () => {
      const { clock, receiver, deliver } = openLast()
      receiver.on('qr.scanned', hangs)
      void deliver()
      await clock.advance(0)
      expect(await deliver()).toEqual({ ...exhausted, ...FIRST, error: SOME_TEXT })
    })

    test('returns quarantined (attempts_exhausted) without an attempt when the store is down', async () => {
      const store: Store = { ...memoryStore(), claim: () => Promise.reject(NO_DATABASE) }
      const { receiver, deliver } = openLast({ store })
      receiver.on('qr.scanned', () => expect.unreachable())
      expect(await deliver()).toEqual({ ...exhausted, ...READ, error: NO_DATABASE })
    })

    test('returns quarantined (attempts_exhausted) without an attempt when the inbox is down', async () => {
      const { receiver, deliver } = openLast({ inbox: { accept: () => Promise.reject(DISK_FULL) } })
      receiver.on('qr.scanned', () => expect.unreachable())
      expect(await deliver()).toEqual({ ...exhausted, ...READ, error: DISK_FULL })
    })

    test('returns the fields of unavailable (quarantine_unavailable) with handlers that run at the deadline', async () => {
      const { receiver, attempt } = openLast({ quarantine: failingSink })
      receiver.on('qr.scanned', hangs)
      const unavailable = { status: 'unavailable', code: 'quarantine_unavailable', error: DISK_FULL }
      expect((await attempt()).outcome).toEqual({ ...unavailable, ...FIRST })
    })

    test('returns the fields of unavailable (quarantine_unavailable) while another attempt is processed', async () => {
      const { clock, receiver, deliver } = openLast({ quarantine: failingSink })
      receiver.on('qr.scanned', hangs)
      void deliver()
      await clock.advance(0)
      const unavailable = { status: 'unavailable', code: 'quarantine_unavailable', error: DISK_FULL }
      expect(await deliver()).toEqual({ ...unavailable, ...FIRST })
    })

    test('returns the fields of unavailable (quarantine_unavailable) when the quarantine is down as well as the store', async () => {
      const store: Store = { ...memoryStore(), claim: () => Promise.reject(NO_DATABASE) }
      const { receiver, deliver } = openLast({ store, quarantine: failingSink })
      receiver.on('qr.scanned', () => expect.unreachable())
      expect(await deliver()).toEqual({
        status: 'unavailable',
        code: 'quarantine_unavailable',
        ...READ,
        error: DISK_FULL,
      })
    })
  })

  describe('after a crash', () => {
    /** An attempt that crashed: its process never advances its clock again. */
    async function openCrashed(options: Parameters<typeof receiving>[0] = {}) {
      const clock = fixedClock(Date.parse(EVENT_TIME) + 50 * MINUTE)
      const store = storeOf(memoryStore({ clock }))
      const dying = receiving({ clock: fixedClock(clock.now()), store })
      dying.receiver.on('qr.scanned', hangs)
      void dying.deliver()
      await clock.advance(MINUTE)
      const next = receiving({ ...options, clock, store })
      next.receiver.on('qr.scanned', () => expect.unreachable())
      return next
    }
    const crashed = { status: 'quarantined', code: 'handler_crashed', ...SECOND_ATTEMPT, error: SOME_TEXT }

    test('returns the fields of quarantined (handler_crashed) on the last attempt', async () => {
      const { deliver } = await openCrashed({ quarantine: memoryQuarantine() })
      expect(await deliver()).toEqual(crashed)
    })

    test('returns the fields of quarantined (handler_crashed) by the last job of an inbox', async () => {
      const { receiver } = await openCrashed({ quarantine: memoryQuarantine() })
      expect(await receiver.process(jobOf(), { number: 2, last: true })).toEqual(crashed)
    })

    test('returns the fields of quarantined (handler_crashed) by the job of an inbox whose last attempt never ended', async () => {
      const { receiver } = open({ quarantine: memoryQuarantine() })
      receiver.on('qr.scanned', () => expect.unreachable())
      const outcome = await receiver.process(jobOf(), { number: 3, last: true, over: true })
      expect(outcome).toEqual({ ...crashed, ...FIRST })
    })

    test('returns the fields of unavailable (quarantine_unavailable)', async () => {
      const { deliver } = await openCrashed({ quarantine: failingSink })
      const unavailable = { status: 'unavailable', code: 'quarantine_unavailable', error: DISK_FULL }
      expect(await deliver()).toEqual({ ...unavailable, ...SECOND_ATTEMPT })
    })
  })
})

describe('without a store', () => {
  test('returns the fields of processed', async () => {
    const { receiver, deliver } = receiving({ store: false })
    receiver.on('qr.scanned', () => {})
    expect(await deliver()).toEqual({ status: 'processed', ...FIRST })
  })
})

describe('with two secrets', () => {
  test.each([
    ['old', 0],
    ['new', 1],
  ])('returns the index of the %s secret', async (secret, secretIndex) => {
    const { receiver, deliver } = receiving({ secret: ['old', 'new'] })
    receiver.on('qr.scanned', () => {})
    const signature = signatureOf(EVENT, secret)
    const outcome = await deliver(EVENT, {
      header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
    })
    expect(outcome).toEqual({ status: 'processed', ...FIRST, secretIndex })
  })
})

describe('with idempotencyKey', () => {
  test('returns the hash of the user’s key', async () => {
    const { receiver, deliver } = receiving({ idempotencyKey: () => 'scan-15' })
    receiver.on('qr.scanned', () => {})
    const outcome = await deliver()
    expect(outcome).toEqual({ status: 'processed', ...FIRST, idempotencyKey: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(outcome.idempotencyKey).not.toBe(READ.idempotencyKey)
  })
})
