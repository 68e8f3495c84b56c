/** Turns in front of a pool: how many, in which order, and what becomes of who has waited too long. */
import { expect, test } from 'vitest'
import { createTurns } from '../../../../src/stores/postgres/turns.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'

test('so many have a turn at once, the others in the order they came', async () => {
  const turns = createTurns(2, fixedClock())
  const taken: string[] = []
  const take = async (name: string) => {
    if (await turns.take(1000)) taken.push(name)
  }
  const all = ['a', 'b', 'c', 'd'].map(take)
  await Promise.all(all.slice(0, 2))
  expect(taken).toEqual(['a', 'b'])
  turns.give()
  await all[2]
  expect(taken).toEqual(['a', 'b', 'c'])
  turns.give()
  await all[3]
  expect(taken).toEqual(['a', 'b', 'c', 'd'])
})

test('who has waited too long has no turn, and takes none from who comes after', async () => {
  const clock = fixedClock()
  const turns = createTurns(1, clock)
  expect(await turns.take(1000)).toBe(true)
  const late = turns.take(1000)
  const patient = turns.take(5000)
  await clock.advance(1000)
  expect(await late).toBe(false)
  turns.give()
  expect(await patient).toBe(true)
  turns.give()
  expect(await turns.take(1)).toBe(true)
  expect(clock.pendingTimers()).toBe(0)
})

test('a turn that was given back with nobody waiting is free', async () => {
  const turns = createTurns(1, fixedClock())
  await turns.take(1000)
  turns.give()
  expect(await turns.take(1000)).toBe(true)
})
