/** Stage 5: what becomes of a claim, whatever the store does. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline } from '../../../src/clock.js'
import { claimDelivery } from '../../../src/delivery/claim.js'
import type { ClaimRequest, ClaimResult, MaybePromise, ReleaseRequest, Store } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { deferred } from '../../support/deferred.js'

const WANTED = { key: 'ab'.repeat(32), token: 'token-1', retainUntil: 1000 }
const CLAIMED: ClaimResult = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['a'] }

function ask(response: () => MaybePromise<ClaimResult>, deadlineMs = 4500) {
  const clock = fixedClock(0)
  const asked: ClaimRequest[] = []
  const released: ReleaseRequest[] = []
  const store: Store = {
    claim(request) {
      asked.push(request)
      return response()
    },
    release(request) {
      released.push(request)
      return true
    },
    renew: () => expect.unreachable(),
    complete: () => expect.unreachable(),
  }
  const kept: Promise<unknown>[] = []
  const platform = { waitUntil: (work: Promise<unknown>) => void kept.push(work) }
  return {
    clock,
    asked,
    released,
    kept,
    result: claimDelivery(store, clock, startDeadline(clock, deadlineMs), WANTED, platform),
  }
}

test('a claim asks for a lease of 55 s, and counts tries that are half a minute apart', async () => {
  const { asked, result } = ask(() => CLAIMED)
  await result
  expect(asked).toEqual([{ ...WANTED, reprocess: false, leaseMs: 55_000, attemptGapMs: 30_000 }])
})

describe('an answer', () => {
  const claim = {
    key: WANTED.key,
    token: WANTED.token,
    attempt: 2,
    releasedAttempts: 1,
    completedHandlers: ['a'],
    evictedEarly: false,
  }
  it.each<[string, ClaimResult, unknown]>([
    ['claimed', CLAIMED, { status: 'claimed', claim }],
    [
      'claimed, forgetting another',
      { ...CLAIMED, evictedEarly: true },
      { claim: { ...claim, evictedEarly: true }, status: 'claimed' },
    ],
    [
      'claimed, of a try that never ended',
      { ...CLAIMED, attempt: 1, releasedAttempts: 0, completedHandlers: [] },
      { status: 'claimed', claim: { ...claim, attempt: 1, releasedAttempts: 0, completedHandlers: [] } },
    ],
    ['busy', { status: 'busy', until: 9, attempt: 3 }, { status: 'busy', attempt: 3 }],
    ['done', { status: 'done' }, { status: 'done' }],
  ])('%s, at once and later', async (_, response, expected) => {
    expect(await ask(() => response).result).toEqual(expected)
    const later = ask(() => Promise.resolve(response))
    expect(await later.result).toEqual(expected)
    expect(later.clock.pendingTimers()).toBe(0)
  })
})

describe('158: an answer that is none is never taken for one', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['a text', 'claimed'],
    ['an unknown status', { status: 'won', attempt: 1, releasedAttempts: 0, completedHandlers: [] }],
    ['claimed without a try', { status: 'claimed', releasedAttempts: 0, completedHandlers: [] }],
    ['claimed with a try as text', { status: 'claimed', attempt: '1', releasedAttempts: 0, completedHandlers: [] }],
    ['claimed with a negative try', { status: 'claimed', attempt: -1, releasedAttempts: 0, completedHandlers: [] }],
    ['claimed with a broken try', { status: 'claimed', attempt: 1.5, releasedAttempts: 0, completedHandlers: [] }],
    ['claimed without releases', { status: 'claimed', attempt: 1, completedHandlers: [] }],
    [
      'claimed with handlers that are no list',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: 'a' },
    ],
    [
      'claimed with handlers that are no names',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [1] },
    ],
    [
      'claimed with handlers of which one is no name',
      { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: ['a', 1] },
    ],
    ['busy without a try', { status: 'busy', until: 9 }],
  ])('%s', async (_, response) => {
    expect(await ask(() => response as ClaimResult).result).toEqual({
      status: 'store_corrupt',
      error: 'the store answered a claim with something that is no claim result',
    })
  })
})

describe('a store that does not answer', () => {
  const refused = new Error('connection refused')
  it.each([
    [
      'throws',
      () => {
        throw refused
      },
    ],
    ['rejects', () => Promise.reject(refused)],
  ])('155: %s', async (_, response) => {
    const { result, clock } = ask(response)
    expect(await result).toEqual({ status: 'store_unavailable', error: refused })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('156: within a second', async () => {
    const { result, clock } = ask(() => new Promise(() => {}))
    const ended: unknown[] = []
    void Promise.resolve(result).then(() => ended.push('claim'))
    await clock.advance(999)
    expect(ended).toEqual([])
    await clock.advance(1)
    expect(await result).toEqual({ status: 'store_unavailable', error: 'the claim was not answered in time' })
  })

  test('within what is left of the deadline', async () => {
    const { result, clock } = ask(() => new Promise(() => {}), 300)
    await clock.advance(300)
    expect(await result).toMatchObject({ status: 'store_unavailable' })
  })

  test('is not asked at all when no time is left', async () => {
    const { asked, kept, result } = ask(() => CLAIMED, 0)
    expect(await result).toMatchObject({ status: 'store_unavailable' })
    expect(asked).toEqual([])
    // Nothing was asked, so there is nothing to be kept alive for.
    expect(kept).toEqual([])
  })
})

test('a platform that keeps nothing alive is not asked to', async () => {
  const clock = fixedClock(0)
  const store = { claim: () => new Promise<ClaimResult>(() => {}) } as unknown as Store
  const result = claimDelivery(store, clock, startDeadline(clock, 4500), WANTED)
  await clock.advance(1000)
  expect(await result).toMatchObject({ status: 'store_unavailable' })
})

describe('an answer that comes too late', () => {
  async function late(response: unknown, reject = false) {
    const { promise, resolve, reject: refuse } = deferred<ClaimResult>()
    const asked = ask(() => promise)
    await asked.clock.advance(1500)
    await asked.result
    if (reject) refuse(response)
    else resolve(response as ClaimResult)
    await asked.clock.advance(0)
    return asked
  }

  test('claimed: is released at once, and not counted', async () => {
    const { released } = await late(CLAIMED)
    expect(released).toEqual([{ key: WANTED.key, token: WANTED.token, completedHandlers: [], counted: false }])
  })

  it.each<[string, unknown]>([
    ['busy', { status: 'busy', until: 9, attempt: 3 }],
    ['done', { status: 'done' }],
    ['nothing', undefined],
  ])('%s: nothing is released', async (_, response) => {
    expect((await late(response)).released).toEqual([])
  })

  test('a failure: nothing is released, and no rejection is left over', async () => {
    expect((await late(new Error('gone'), true)).released).toEqual([])
  })

  test('the platform is kept alive for it, ten seconds and no longer', async () => {
    const { clock, kept, result } = ask(() => new Promise(() => {}))
    await clock.advance(1000)
    await result
    expect(kept).toHaveLength(1)
    const ended: unknown[] = []
    void kept[0]?.then(() => ended.push('wait'))
    await clock.advance(9999)
    expect(ended).toEqual([])
    await clock.advance(1)
    expect(ended).toEqual(['wait'])
    expect(clock.pendingTimers()).toBe(0)
  })
})
