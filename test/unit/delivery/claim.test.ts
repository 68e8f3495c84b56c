/** Stage 5: the result of a claim, however the store responds. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline } from '../../../src/clock.js'
import { claimDelivery } from '../../../src/delivery/claim.js'
import type { Origin } from '../../../src/delivery/verified-event.js'
import {
  type ClaimRequest,
  type ClaimResult,
  type Delivery,
  type MaybePromise,
  type ReleaseRequest,
  WebhookError,
} from '../../../src/index.js'
import { deferred } from '../../support/deferred.js'
import { CLAIM_IDS, RETAIN_UNTIL, testServices, verifiedEvent } from '../../support/delivery-fixtures.js'

const CLAIMED: ClaimResult = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['a'] }

interface ClaimOptions {
  readonly deadlineMs?: number
  readonly origin?: Origin
  readonly platform?: Pick<Delivery, 'waitUntil'>
}

function claimFrom(
  claim: () => MaybePromise<ClaimResult>,
  { deadlineMs = 4500, origin = { from: 'sender' }, platform }: ClaimOptions = {},
) {
  const requests: ClaimRequest[] = []
  const released: ReleaseRequest[] = []
  const awaited: Promise<unknown>[] = []
  const services = testServices({
    store: {
      claim(request) {
        requests.push(request)
        return claim()
      },
      release(request) {
        released.push(request)
        return true
      },
    },
  })
  const { clock } = services
  const delivery: Delivery = {
    method: 'POST',
    header: () => undefined,
    body: null,
    ...(platform ?? { waitUntil: (work) => void awaited.push(work) }),
  }
  const event = verifiedEvent(services, { deadline: startDeadline(clock, deadlineMs), origin, delivery })
  return { clock, requests, released, awaited, result: claimDelivery(services, event) }
}

describe('the request', () => {
  test('asks for a lease of 55 s, counts attempts that are at least 30 s apart, and waits 4.4 s', async () => {
    const { requests, result } = claimFrom(() => CLAIMED)
    await result
    expect(requests).toEqual([
      {
        ...CLAIM_IDS,
        retainUntil: RETAIN_UNTIL,
        reprocess: false,
        leaseMs: 55_000,
        attemptGapMs: 30_000,
        waitMs: 4400,
      },
    ])
  })

  it.each<[Origin['from'], Origin, boolean]>([
    ['sender', { from: 'sender' }, false],
    ['inbox', { from: 'inbox', attempt: { number: 1, last: false }, receivedAt: 0 }, false],
    ['quarantine', { from: 'quarantine' }, true],
  ])('from the %s: may claim a quarantined record only for reprocessing', async (_, origin, reprocess) => {
    const { requests, result } = claimFrom(() => CLAIMED, { origin })
    await result
    expect(requests).toMatchObject([{ reprocess }])
  })
})

describe('returns the store’s result', () => {
  const claim = {
    ...CLAIM_IDS,
    attempt: 2,
    releasedAttempts: 1,
    completedHandlers: ['a'],
    evictedEarly: false,
    confirmedAt: 0,
  }
  it.each<[string, ClaimResult, unknown]>([
    ['claimed', CLAIMED, { status: 'claimed', claim }],
    [
      'claimed, with another record evicted early',
      { ...CLAIMED, evictedEarly: true },
      { status: 'claimed', claim: { ...claim, evictedEarly: true } },
    ],
    [
      'claimed, after an attempt that never ended',
      { ...CLAIMED, attempt: 1, releasedAttempts: 0, completedHandlers: [] },
      { status: 'claimed', claim: { ...claim, attempt: 1, releasedAttempts: 0, completedHandlers: [] } },
    ],
    ['busy', { status: 'busy', until: 9, attempt: 3 }, { status: 'busy', attempt: 3 }],
    ['done', { status: 'done' }, { status: 'done' }],
  ])('%s, synchronously and asynchronously', async (_, result, expected) => {
    expect(claimFrom(() => result).result).toEqual(expected)
    const { result: pending, clock } = claimFrom(() => Promise.resolve(result))
    expect(await pending).toEqual(expected)
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('returns store_corrupt if the store returns', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['a string', 'claimed'],
    ['an unknown status', { status: 'won', attempt: 1, releasedAttempts: 0, completedHandlers: [] }],
    ['claimed without an attempt', { status: 'claimed', releasedAttempts: 0, completedHandlers: [] }],
    [
      'claimed with an attempt that is a string',
      { status: 'claimed', attempt: '1', releasedAttempts: 0, completedHandlers: [] },
    ],
    ['claimed with a negative attempt', { status: 'claimed', attempt: -1, releasedAttempts: 0, completedHandlers: [] }],
    [
      'claimed with a fractional attempt',
      { status: 'claimed', attempt: 1.5, releasedAttempts: 0, completedHandlers: [] },
    ],
    ['claimed without released attempts', { status: 'claimed', attempt: 1, completedHandlers: [] }],
    [
      'claimed with handlers that aren’t a list',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: 'a' },
    ],
    [
      'claimed with handlers that aren’t names',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [1] },
    ],
    [
      'claimed with one handler that isn’t a name',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: ['a', 1] },
    ],
    ['busy without an attempt', { status: 'busy', until: 9 }],
  ])('%s', async (_, result) => {
    expect(await claimFrom(() => result as ClaimResult).result).toEqual({
      status: 'store_corrupt',
      error: 'the store returned something that is not a claim result',
    })
  })
})

test('returns store_corrupt if reading the result throws', async () => {
  const unreadable = new Error('unreadable')
  const result = {
    get status(): 'done' {
      throw unreadable
    },
  }
  for (const claim of [() => result, async () => result])
    expect(await claimFrom(claim).result).toEqual({ status: 'store_corrupt', error: unreadable })
})

describe('returns store_unavailable', () => {
  const refused = new Error('connection refused')
  it.each([
    [
      'throws',
      () => {
        throw refused
      },
    ],
    ['rejects', () => Promise.reject(refused)],
  ])('if the store %s', async (_, claim) => {
    const { result, clock } = claimFrom(claim)
    expect(await result).toEqual({ status: 'store_unavailable', error: refused })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('if the store doesn’t respond within 4.4 s', async () => {
    const { result, clock } = claimFrom(() => new Promise(() => {}))
    let hasEnded = false
    void Promise.resolve(result).then(() => {
      hasEnded = true
    })
    await clock.advance(4399)
    expect(hasEnded).toBe(false)
    await clock.advance(1)
    expect(await result).toEqual({
      status: 'store_unavailable',
      error: 'the store did not respond to the claim in time',
    })
  })

  test('if the store doesn’t respond 100 ms before the deadline', async () => {
    const { requests, result, clock } = claimFrom(() => new Promise(() => {}), { deadlineMs: 300 })
    expect(requests).toMatchObject([{ waitMs: 200 }])
    await clock.advance(200)
    expect(await result).toMatchObject({ status: 'store_unavailable' })
  })

  test('without calling the store if no time is left', async () => {
    const { requests, awaited, result } = claimFrom(() => CLAIMED, { deadlineMs: 0 })
    expect(await result).toMatchObject({ status: 'store_unavailable' })
    expect(requests).toEqual([])
    // No claim can arrive late, so the platform has nothing to wait for.
    expect(awaited).toEqual([])
  })

  test('on a platform without waitUntil', async () => {
    const { result, clock } = claimFrom(() => new Promise(() => {}), { platform: {} })
    await clock.advance(4400)
    expect(await result).toMatchObject({ status: 'store_unavailable' })
  })
})

test('returns overloaded if the store rejects the claim as overloaded', async () => {
  const overloaded = new WebhookError('overloaded', 'The store has too many calls waiting.')
  const { result } = claimFrom(() => Promise.reject(overloaded))
  expect(await result).toEqual({ status: 'overloaded', error: overloaded })
  const other = new WebhookError('store_unavailable', 'The store is closed.')
  expect(await claimFrom(() => Promise.reject(other)).result).toEqual({ status: 'store_unavailable', error: other })
  const foreign = Object.assign(new Error('overloaded'), { code: 'overloaded' })
  expect(await claimFrom(() => Promise.reject(foreign)).result).toMatchObject({ status: 'store_unavailable' })
})

test('confirms the claim for the time at which the store was asked, not at which it responded', async () => {
  const { promise, resolve } = deferred<ClaimResult>()
  const { result, clock } = claimFrom(() => promise)
  await clock.advance(2000)
  resolve(CLAIMED)
  expect(await result).toMatchObject({ claim: { confirmedAt: 0 } })
})

describe('a result that arrives too late', () => {
  async function respondLate(
    respond: (pending: ReturnType<typeof deferred<ClaimResult>>) => void,
    platform?: Pick<Delivery, 'waitUntil'>,
  ) {
    const pending = deferred<ClaimResult>()
    const claiming = claimFrom(() => pending.promise, platform && { platform })
    await claiming.clock.advance(4500)
    await claiming.result
    respond(pending)
    await claiming.clock.advance(0)
    return claiming
  }

  test('claimed: is released at once, and the attempt isn’t counted', async () => {
    const { released } = await respondLate(({ resolve }) => resolve(CLAIMED))
    expect(released).toEqual([{ ...CLAIM_IDS, completedHandlers: [], counted: false, waitMs: 4500 }])
  })

  it.each<[string, unknown]>([
    ['busy', { status: 'busy', until: 9, attempt: 3 }],
    ['done', { status: 'done' }],
    ['nothing', undefined],
  ])('%s: releases nothing', async (_, result) => {
    const { released } = await respondLate(({ resolve }) => resolve(result as ClaimResult))
    expect(released).toEqual([])
  })

  test('a failure: releases nothing and leaves no unhandled rejection', async () => {
    const { released } = await respondLate(({ reject }) => reject(new Error('connection lost')))
    expect(released).toEqual([])
  })

  test('is released even if the platform can’t be kept alive', async () => {
    const { released } = await respondLate(({ resolve }) => resolve(CLAIMED), {
      waitUntil: () => {
        throw new Error('the request has ended')
      },
    })
    expect(released).toHaveLength(1)
  })

  test('keeps the platform alive for ten seconds at most', async () => {
    const { clock, awaited, result } = claimFrom(() => new Promise(() => {}))
    await clock.advance(4400)
    await result
    expect(awaited).toHaveLength(1)
    let hasEnded = false
    void awaited[0]?.then(() => {
      hasEnded = true
    })
    await clock.advance(9999)
    expect(hasEnded).toBe(false)
    await clock.advance(1)
    expect(hasEnded).toBe(true)
    expect(clock.pendingTimers()).toBe(0)
  })
})
