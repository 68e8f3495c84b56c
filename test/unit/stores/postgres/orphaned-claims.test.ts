/** Orphaned claims: how long the store retries the release, and when it stops. */
import { expect, test } from 'vitest'
import { createOrphanedClaims } from '../../../../src/stores/postgres/orphaned-claims.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'

function start(respond: (call: number) => Promise<boolean> = async () => false) {
  const clock = fixedClock()
  let isClosed = false
  let calls = 0
  const claims = createOrphanedClaims(clock, () => isClosed)
  const release = () => respond(++calls)
  const close = () => {
    isClosed = true
  }
  return { clock, claims, release, close, calls: () => calls }
}

test('a claim is released as soon as it appears', async () => {
  const { clock, claims, release, calls } = start(async (call) => call === 3)
  claims.releaseLater('token', release)
  await clock.advance(5_999)
  expect(calls()).toBe(2)
  await clock.advance(1)
  expect([calls(), clock.pendingTimers()]).toEqual([3, 0])
})

test('a release is retried for one minute, even while the server cannot be reached', async () => {
  const { clock, claims, release, calls } = start(() => Promise.reject(new Error('away')))
  claims.releaseLater('token', release)
  await clock.advance(60_000)
  expect([calls(), clock.pendingTimers()]).toEqual([30, 0])
})

test('a claim whose token claims again is not released, and other claims are', async () => {
  const { clock, claims, release, calls } = start()
  claims.releaseLater('wanted', () => expect.unreachable())
  claims.releaseLater('token', release)
  claims.keep('wanted')
  await clock.advance(60_000)
  expect(calls()).toBe(30)
})

test('a kept claim that is abandoned again is released', async () => {
  const { clock, claims, release, calls } = start()
  claims.releaseLater('token', () => expect.unreachable())
  claims.keep('token')
  await clock.advance(2_000)
  claims.releaseLater('token', release)
  await clock.advance(60_000)
  expect(calls()).toBe(30)
})

test('no release is sent after the pool has ended', async () => {
  const { clock, claims, release, close, calls } = start()
  claims.releaseLater('token', release)
  await clock.advance(2_000)
  close()
  await clock.advance(2_000)
  expect([calls(), clock.pendingTimers()]).toEqual([1, 0])
})
