/** The heartbeat of a claim. */
import { describe, expect, it, test } from 'vitest'
import { keepLease } from '../../../src/delivery/lease.js'
import type { MaybePromise, RenewRequest, Store } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { deferred } from '../../support/deferred.js'

function keep(response: (beat: number) => MaybePromise<boolean>) {
  const clock = fixedClock(0)
  const beats: { at: number; request: RenewRequest }[] = []
  let lost = 0
  const store = {
    renew(request: RenewRequest) {
      beats.push({ at: clock.now(), request })
      return response(beats.length)
    },
  } as unknown as Store
  const end = keepLease({
    store,
    clock,
    key: 'k',
    token: 't',
    leaseMs: 55_000,
    callMs: 1000,
    onLost: () => void lost++,
  })
  return { clock, end, times: () => beats.map(({ at }) => at), beats, lost: () => lost }
}

test('a lease is renewed at once and every 10 s, until it is ended', async () => {
  const { clock, end, times, beats } = keep(() => Promise.resolve(true))
  await clock.advance(35_000)
  expect(times()).toEqual([0, 10_000, 20_000, 30_000])
  expect(beats[0]?.request).toEqual({ key: 'k', token: 't', leaseMs: 55_000 })
  end()
  await clock.advance(60_000)
  expect(times()).toHaveLength(4)
  expect(clock.pendingTimers()).toBe(0)
})

describe('a beat that fails is not a lost claim: the next may get through', () => {
  it.each<[string, () => MaybePromise<boolean>]>([
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['never answers', () => new Promise(() => {})],
  ])('%s', async (_, failure) => {
    const { clock, times, lost } = keep((beat) => (beat <= 4 ? failure() : true))
    await clock.advance(54_000)
    expect(times().length).toBeGreaterThanOrEqual(5)
    expect(lost()).toBe(0)
  })
})

test('a lost claim is told once, and ends the heartbeat', async () => {
  const { clock, times, lost } = keep((beat) => beat < 3)
  await clock.advance(60_000)
  expect(times()).toEqual([0, 10_000, 20_000])
  expect(lost()).toBe(1)
  expect(clock.pendingTimers()).toBe(0)
})

test('a beat that is on its way when the lease is ended tells nothing', async () => {
  const { promise, resolve } = deferred<boolean>()
  const { clock, end, lost, times } = keep(() => promise)
  end()
  resolve(false)
  await clock.advance(30_000)
  expect([lost(), times().length, clock.pendingTimers()]).toEqual([0, 1, 0])
})
