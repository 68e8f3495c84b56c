/** Stage 7: what the receiver learns from a write, and how it writes again in the background. */
import { describe, expect, it, test } from 'vitest'
import { completeClaim, releaseClaim, retryInBackground, type Written } from '../../../src/delivery/completion.js'
import type { ClaimedAttempt } from '../../../src/delivery/verified-event.js'
import type { CompleteRequest, ErrorReport, MaybePromise, ReleaseRequest } from '../../../src/index.js'
import { CLAIM_IDS, claimedAttempt, RETAIN_UNTIL, testServices } from '../../support/delivery-fixtures.js'

type StoreResult = () => MaybePromise<boolean>
type Recorded = 'recorded' | 'lost' | 'unknown'

const KINDS = [
  {
    kind: 'a completion',
    storeOf: (respond: StoreResult) => ({ complete: respond, renew: () => true }),
    write: (attempt: ClaimedAttempt) => completeClaim(attempt, false),
    /** Reports and background work after each result. */
    expected: {
      recorded: { codes: [], isLost: false, hasRest: false },
      lost: { codes: ['lease_lost'], isLost: true, hasRest: false },
      unknown: { codes: ['completion_delayed'], isLost: false, hasRest: true },
    },
  },
  {
    kind: 'a release',
    storeOf: (respond: StoreResult) => ({ release: respond }),
    write: async (attempt: ClaimedAttempt): Promise<Partial<Written>> => {
      await releaseClaim(attempt, true)
      return {}
    },
    // A release that the store didn't confirm isn't repeated: the lease expires before the next attempt.
    expected: {
      recorded: { codes: [], isLost: undefined, hasRest: false },
      lost: { codes: ['lease_lost'], isLost: undefined, hasRest: false },
      unknown: { codes: [], isLost: undefined, hasRest: false },
    },
  },
] as const

describe.each(KINDS)('$kind', ({ storeOf, write, expected }) => {
  const start = (respond: StoreResult) => {
    const services = testServices({ store: storeOf(respond) })
    return { services, writing: write(claimedAttempt(services)) }
  }
  const summaryOf = (reports: readonly ErrorReport[], { isLost, rest }: Partial<Written>) => ({
    codes: reports.map(({ code }) => code),
    isLost,
    hasRest: rest !== undefined,
  })

  it.each<[string, StoreResult, Recorded]>([
    ['true', () => true, 'recorded'],
    ['true, asynchronously', () => Promise.resolve(true), 'recorded'],
    ['false', () => false, 'lost'],
    ['false, asynchronously', () => Promise.resolve(false), 'lost'],
    ['trap: something that isn’t a boolean', () => ({ ok: 1 }) as unknown as boolean, 'unknown'],
    ['nothing', () => undefined as unknown as boolean, 'unknown'],
    [
      'an exception',
      () => {
        throw new Error('connection refused')
      },
      'unknown',
    ],
    ['a rejection', () => Promise.reject(new Error('connection refused')), 'unknown'],
  ])('for which the store returns %s', async (_, respond, recorded) => {
    const { services, writing } = start(respond)
    expect(summaryOf(services.reports, await writing)).toEqual(expected[recorded])
  })

  it('for which the store returns nothing within 4.5 s', async () => {
    const { services, writing } = start(() => new Promise(() => {}))
    let hasEnded = false
    void Promise.resolve(writing).then(() => {
      hasEnded = true
    })
    await services.clock.advance(4499)
    expect(hasEnded).toBe(false)
    await services.clock.advance(1)
    expect(summaryOf(services.reports, await writing)).toEqual(expected.unknown)
  })

  it('reports a lost claim with the delivery’s key and event type', async () => {
    const { services, writing } = start(() => false)
    await writing
    expect(services.reports).toEqual([
      {
        code: 'lease_lost',
        idempotencyKey: CLAIM_IDS.key,
        eventType: 'qr.scanned',
        message: expect.stringContaining('another process had claimed the delivery'),
      },
    ])
  })
})

test('a completion is available at once if the store is synchronous', () => {
  const attempt = claimedAttempt(testServices({ store: { complete: () => true } }))
  expect(completeClaim(attempt, false)).toEqual({ isLost: false, rest: undefined })
})

describe('the request', () => {
  test.each([true, false])('of a completion says whether the delivery is quarantined: %s', async (isQuarantined) => {
    const requests: CompleteRequest[] = []
    const services = testServices({ store: { complete: (request) => requests.push(request) > 0 } })
    const attempt = claimedAttempt(services, { claim: { completedHandlers: ['a'] } })
    await completeClaim(attempt, isQuarantined)
    attempt.claim.completedHandlers.push('b')
    expect(requests).toEqual([
      { ...CLAIM_IDS, retainUntil: RETAIN_UNTIL, quarantined: isQuarantined, completedHandlers: ['a'], waitMs: 4500 },
    ])
  })

  test.each([true, false])('of a release says whether the attempt counts: %s', async (isCounted) => {
    const requests: ReleaseRequest[] = []
    const services = testServices({ store: { release: (request) => requests.push(request) > 0 } })
    const attempt = claimedAttempt(services, { claim: { completedHandlers: ['a'] } })
    await releaseClaim(attempt, isCounted)
    attempt.claim.completedHandlers.push('b')
    expect(requests).toEqual([{ ...CLAIM_IDS, completedHandlers: ['a'], counted: isCounted, waitMs: 4500 }])
  })
})

describe('a completion in the background', () => {
  function completeAfter(results: readonly unknown[], freezesAfterResponse = false, retryUntil = () => Infinity) {
    const times: number[] = []
    const services = testServices({
      store: {
        complete: () => results[times.push(services.clock.now()) - 1] as boolean,
        renew: () => true,
      },
      retryUntil,
    })
    const { event } = claimedAttempt(services)
    const attempt = claimedAttempt(services, { event: { delivery: { ...event.delivery, freezesAfterResponse } } })
    const { rest } = completeClaim(attempt, false) as Written
    return { services, attempt, times, rest, codes: () => services.reports.map(({ code }) => code) }
  }

  test('is repeated until the store confirms, while the lease is kept', async () => {
    const { services, attempt, times, rest, codes } = completeAfter([undefined, undefined, true])
    expect(attempt.endLease).toBeTypeOf('function')
    await services.clock.advance(750)
    await rest
    expect(times).toEqual([0, 250, 750])
    expect(codes()).toEqual(['completion_delayed'])
  })

  test('keeps no lease on a platform that freezes after the response', () => {
    expect(completeAfter([], true).attempt.endLease).toBeUndefined()
  })

  test('reports a claim that was lost in the meantime', async () => {
    const { services, rest, codes } = completeAfter([undefined, false])
    await services.clock.advance(250)
    await rest
    expect(codes()).toEqual(['completion_delayed', 'lease_lost'])
  })

  test('reports that it was abandoned, after it had reported the delay', async () => {
    const { services, rest } = completeAfter([], true, () => 0)
    await services.clock.advance(250)
    await rest
    const about = { idempotencyKey: CLAIM_IDS.key, eventType: 'qr.scanned' }
    expect(services.reports).toEqual([
      { ...about, code: 'completion_delayed', message: expect.stringContaining('again in the background') },
      { ...about, code: 'completion_abandoned', message: expect.stringContaining('for too long') },
    ])
  })
})

describe('a write that is retried in the background', () => {
  function retry(results: readonly string[], retryUntil: (since: number) => number = () => Infinity) {
    const services = testServices({ retryUntil })
    const { clock } = services
    const times: number[] = []
    const write = async () => results[times.push(clock.now()) - 1] ?? 'unknown'
    return { clock, times, result: retryInBackground(services, write, (result) => result !== 'unknown') }
  }

  test('is repeated at growing intervals of at most 10 s until it succeeds', async () => {
    const { clock, times, result } = retry([...Array(8).fill('unknown'), 'recorded'])
    await clock.advance(120_000)
    expect(times).toEqual([250, 750, 1750, 3750, 7750, 15_750, 25_750, 35_750, 45_750])
    expect(await result).toBe('recorded')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('is abandoned with its last result once the time limit has passed', async () => {
    const { clock, times, result } = retry([], () => 3000)
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750, 3750])
    expect(await result).toBe('unknown')
  })

  test('is abandoned in the millisecond of the time limit', async () => {
    const { clock, times, result } = retry([], () => 1750)
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750])
    expect(await result).toBe('unknown')
  })

  test('reads the time limit again after each write', async () => {
    let until = Infinity
    const { clock, times, result } = retry([], () => until)
    await clock.advance(800)
    until = 1000
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750])
    expect(await result).toBe('unknown')
  })

  test('has a time limit that counts from its start', async () => {
    const asked: number[] = []
    const { clock, times, result } = retry(['unknown', 'unknown', 'recorded'], (since) => {
      asked.push(since)
      return Infinity
    })
    await clock.advance(60_000)
    await result
    expect(times).toHaveLength(3)
    expect(new Set(asked)).toEqual(new Set([0]))
  })
})
