/** Claims that were never answered: how long they are looked for, and when they are left alone. */
import { expect, test } from 'vitest'
import { createUnansweredClaims } from '../../../../src/stores/postgres/unanswered.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'

function start(response: (look: number) => Promise<boolean> = async () => false) {
  const clock = fixedClock()
  let over = false
  let looks = 0
  const claims = createUnansweredClaims(clock, () => over)
  const release = () => response(++looks)
  const end = () => {
    over = true
  }
  return { clock, claims, release, end, looks: () => looks }
}

test('a claim is released as soon as it is there', async () => {
  const { clock, claims, release, looks } = start(async (look) => look === 3)
  claims.takeBack('token', release)
  await clock.advance(5_999)
  expect(looks()).toBe(2)
  await clock.advance(1)
  expect([looks(), clock.pendingTimers()]).toEqual([3, 0])
})

test('it is looked for a minute, also while the server cannot be reached, and no longer', async () => {
  const { clock, claims, release, looks } = start(() => Promise.reject(new Error('away')))
  claims.takeBack('token', release)
  await clock.advance(60_000)
  expect([looks(), clock.pendingTimers()]).toEqual([30, 0])
})

test('a claim whose token claims again is left alone, and another is not', async () => {
  const { clock, claims, release, looks } = start()
  claims.takeBack('wanted', () => expect.unreachable())
  claims.takeBack('token', release)
  claims.keep('wanted')
  await clock.advance(60_000)
  expect(looks()).toBe(30)
})

test('a token that was kept and given up again is looked for again', async () => {
  const { clock, claims, release, looks } = start()
  claims.takeBack('token', () => expect.unreachable())
  claims.keep('token')
  await clock.advance(2_000)
  claims.takeBack('token', release)
  await clock.advance(60_000)
  expect(looks()).toBe(30)
})

test('nothing is looked for once the pool has ended', async () => {
  const { clock, claims, release, end, looks } = start()
  claims.takeBack('token', release)
  await clock.advance(2_000)
  end()
  await clock.advance(2_000)
  expect([looks(), clock.pendingTimers()]).toEqual([1, 0])
})
