/** Part of stage 5: the heartbeat of a claim. */
import { describe, expect, it, test } from 'vitest'
import { keepLease } from '../../../src/delivery/lease.js'
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
