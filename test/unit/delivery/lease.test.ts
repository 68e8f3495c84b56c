/** Part of stage 5: the heartbeat of a claim. */
import { describe, expect, it, test } from 'vitest'
import { isClaimHeld, keepLease } from '../../../src/delivery/lease.js'
import type { MaybePromise, RenewRequest } from '../../../src/index.js'
import { deferred } from '../../support/deferred.js'
import { CLAIM_IDS, claimedAttempt, testServices } from '../../support/delivery-fixtures.js'

function keep(respond: (beat: number) => MaybePromise<boolean>) {
  const times: number[] = []
  const requests: RenewRequest[] = []
  const services = testServices({
    store: {
      renew(request) {
        times.push(services.clock.now())
        requests.push(request)
        return respond(times.length)
      },
    },
  })
  const attempt = claimedAttempt(services)
  let lostCount = 0
  keepLease(attempt, () => void lostCount++)
  return { clock: services.clock, attempt, times, requests, lostCount: () => lostCount }
}

test('a lease is renewed at once and every 10 s until it is ended', async () => {
  const { clock, attempt, times, requests } = keep(() => Promise.resolve(true))
  await clock.advance(35_000)
  expect(times).toEqual([0, 10_000, 20_000, 30_000])
  expect(requests[0]).toEqual({ ...CLAIM_IDS, leaseMs: 55_000, waitMs: expect.any(Number) })
  attempt.endLease?.()
  await clock.advance(60_000)
  expect(times).toHaveLength(4)
  expect(clock.pendingTimers()).toBe(0)
})

test('a lease that is already kept gets no second heartbeat', async () => {
  const { clock, attempt, times, lostCount } = keep((beat) => beat < 2)
  const { endLease } = attempt
  let secondCallLost = 0
  keepLease(attempt, () => void secondCallLost++)
  expect(attempt.endLease).toBe(endLease)
  await clock.advance(30_000)
  expect(times).toEqual([0, 10_000])
  expect([lostCount(), secondCallLost]).toEqual([1, 0])
})

describe('a failed heartbeat doesn’t lose the claim', () => {
  it.each<[string, () => MaybePromise<boolean>]>([
    [
      'throws',
      () => {
        throw new Error('connection refused')
      },
    ],
    ['rejects', () => Promise.reject(new Error('connection refused'))],
    ['never responds', () => new Promise(() => {})],
  ])('if the store %s four times', async (_, failure) => {
    const { clock, times, lostCount } = keep((beat) => (beat <= 4 ? failure() : true))
    await clock.advance(54_000)
    expect(times.length).toBeGreaterThanOrEqual(5)
    expect(lostCount()).toBe(0)
  })
})

test('a lost claim is reported once, and ends the heartbeat', async () => {
  const { clock, times, lostCount } = keep((beat) => beat < 3)
  await clock.advance(60_000)
  expect(times).toEqual([0, 10_000, 20_000])
  expect(lostCount()).toBe(1)
  expect(clock.pendingTimers()).toBe(0)
})

test('a heartbeat whose result arrives after the lease has ended reports nothing', async () => {
  const { promise, resolve } = deferred<boolean>()
  const { clock, attempt, times, lostCount } = keep(() => promise)
  attempt.endLease?.()
  resolve(false)
  await clock.advance(30_000)
  expect([lostCount(), times.length, clock.pendingTimers()]).toEqual([0, 1, 0])
})

describe('the time at which the store last confirmed the claim', () => {
  it('is the time at which the latest successful heartbeat was sent', async () => {
    const { promise, resolve } = deferred<boolean>()
    const { clock, attempt } = keep((beat) => (beat === 1 ? true : promise))
    await clock.advance(12_000)
    expect(attempt.claim.confirmedAt).toBe(0)
    resolve(true)
    await clock.advance(0)
    expect(attempt.claim.confirmedAt).toBe(10_000)
  })

  it.each<[string, () => MaybePromise<boolean>]>([
    ['fails', () => Promise.reject(new Error('connection refused'))],
    ['finds the claim lost', () => false],
  ])('stays the same if a heartbeat %s', async (_, respond) => {
    const { clock, attempt } = keep((beat) => (beat === 1 ? true : respond()))
    await clock.advance(15_000)
    expect(attempt.claim.confirmedAt).toBe(0)
  })
})

describe('a claim is held', () => {
  async function isHeldAfter(ms: number, respond: () => MaybePromise<boolean>, confirmedAt = 0) {
    const requests: RenewRequest[] = []
    const services = testServices({
      store: {
        renew(request) {
          requests.push(request)
          return respond()
        },
      },
    })
    const attempt = claimedAttempt(services, { claim: { confirmedAt } })
    await services.clock.advance(ms)
    return { clock: services.clock, requests, result: isClaimHeld(attempt) }
  }

  test('without asking the store until 5 s before the lease can expire', async () => {
    for (const confirmedAt of [0, 30_000]) {
      const { requests, result } = await isHeldAfter(confirmedAt + 49_999, () => false, confirmedAt)
      expect([await result, requests]).toEqual([true, []])
    }
  })

  it.each([
    ['if', true],
    ['only if', false],
  ])('after that %s the store renews it', async (_, isRenewed) => {
    for (const respond of [() => isRenewed, async () => isRenewed]) {
      const { requests, result } = await isHeldAfter(50_000, respond)
      expect(await result).toBe(isRenewed)
      expect(requests).toEqual([{ ...CLAIM_IDS, leaseMs: 55_000, waitMs: 4500 }])
    }
  })

  it.each<[string, () => MaybePromise<boolean>]>([
    ['rejects', () => Promise.reject(new Error('connection refused'))],
    [
      'throws',
      () => {
        throw new Error('connection refused')
      },
    ],
    ['returns something that isn’t a boolean', () => undefined as unknown as boolean],
  ])('if the store %s, because a lost delivery is worse than a second entry', async (_, respond) => {
    expect(await (await isHeldAfter(60_000, respond)).result).toBe(true)
  })

  test('if the store doesn’t respond within 4.5 s', async () => {
    const { clock, result } = await isHeldAfter(60_000, () => new Promise(() => {}))
    await clock.advance(4500)
    expect(await result).toBe(true)
  })
})
