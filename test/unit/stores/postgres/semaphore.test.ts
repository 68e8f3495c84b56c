/** The semaphore in front of a pool: its number of permits, its order, and its timeout. */
import { expect, test } from 'vitest'
import { createSemaphore } from '../../../../src/stores/postgres/semaphore.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'

test('grants its permits at once, and later ones in order of arrival', async () => {
  const semaphore = createSemaphore(2, fixedClock())
  const acquired: string[] = []
  const acquire = async (name: string) => {
    if (await semaphore.acquire(1000)) acquired.push(name)
  }
  const all = ['a', 'b', 'c', 'd'].map(acquire)
  await Promise.all(all.slice(0, 2))
  expect(acquired).toEqual(['a', 'b'])
  semaphore.release()
  await all[2]
  expect(acquired).toEqual(['a', 'b', 'c'])
  semaphore.release()
  await all[3]
  expect(acquired).toEqual(['a', 'b', 'c', 'd'])
})

test('refuses a caller that waits too long, and passes its place to the next caller', async () => {
  const clock = fixedClock()
  const semaphore = createSemaphore(1, clock)
  expect(await semaphore.acquire(1000)).toBe(true)
  const late = semaphore.acquire(1000)
  const patient = semaphore.acquire(5000)
  await clock.advance(1000)
  expect(await late).toBe(false)
  semaphore.release()
  expect(await patient).toBe(true)
  semaphore.release()
  expect(await semaphore.acquire(1)).toBe(true)
  expect(clock.pendingTimers()).toBe(0)
})

test('keeps a permit that is released without waiting callers', async () => {
  const semaphore = createSemaphore(1, fixedClock())
  await semaphore.acquire(1000)
  semaphore.release()
  expect(await semaphore.acquire(1000)).toBe(true)
})
