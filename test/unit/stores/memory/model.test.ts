/** memoryStore against a model that is nothing but the contract's sentences, under whatever workers do. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/index.js'
import { openMemory } from '../../../proof/schedules/opened.js'
import { playSchedule, scheduleOf } from '../../../proof/schedules/stores.js'

test('it does what the contract says, whatever four workers do with one delivery', async () => {
  const store = openMemory()
  let calls = 0
  await fc.assert(
    fc.asyncProperty(scheduleOf(3), async (moves) => {
      calls += await playSchedule(moves, store)
    }),
    { numRuns: 1000 },
  )
  expect(calls).toBeGreaterThan(5000)
})

const bad: Readonly<Record<string, (inner: Store) => Partial<Store>>> = {
  'releases whatever the token': (inner) => ({
    release: (request) => [0, 1, 2, 3].some((worker) => inner.release({ ...request, token: `token-${worker}` })),
  }),
  'completes whatever the token': (inner) => ({
    complete: (request) => [0, 1, 2, 3].some((worker) => inner.complete({ ...request, token: `token-${worker}` })),
  }),
  'forgets to count a release': (inner) => ({ release: (request) => inner.release({ ...request, counted: false }) }),
  'shortens the retention': (inner) => ({ claim: (request) => inner.claim({ ...request, retainUntil: 0 }) }),
  'renews for too long': (inner) => ({ renew: (request) => inner.renew({ ...request, leaseMs: 51 }) }),
  'looks first and claims then': (inner) => ({
    async claim(request) {
      const seen = await inner.claim({ ...request, token: 'a look' })
      if (seen.status !== 'claimed') return seen
      await inner.release({ key: request.key, token: 'a look', completedHandlers: [], counted: false })
      return inner.claim(request)
    },
  }),
}

test.each(Object.entries(bad))('a store that %s is found out', async (_, change) => {
  const store = openMemory()
  const [inner] = store.stores as [Store]
  const stores = [{ ...inner, ...change(inner) }]
  const property = fc.asyncProperty(scheduleOf(3), async (moves) => {
    await playSchedule(moves, { ...store, stores })
  })
  expect((await fc.check(property, { numRuns: 2000, endOnFailure: true })).failed).toBe(true)
})
