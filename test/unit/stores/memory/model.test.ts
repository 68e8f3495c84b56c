/** Compares memoryStore with a model of the store contract under random calls of several workers. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/index.js'
import { openMemory } from '../../../proof/schedules/opened.js'
import { assertSchedules, explainable } from '../../../proof/schedules/stores.js'

test('memoryStore keeps the contract under random calls of four workers for one delivery', async () => {
  expect(await assertSchedules(openMemory(), 1000)).toBeGreaterThan(5000)
})

const faulty: Readonly<Record<string, (inner: Store) => Partial<Store>>> = {
  'releases with any token': (inner) => ({
    release: (request) => [0, 1, 2, 3].some((worker) => inner.release({ ...request, token: `token-${worker}` })),
  }),
  'completes with any token': (inner) => ({
    complete: (request) => [0, 1, 2, 3].some((worker) => inner.complete({ ...request, token: `token-${worker}` })),
  }),
  'never counts a release': (inner) => ({ release: (request) => inner.release({ ...request, counted: false }) }),
  'shortens the retention': (inner) => ({ claim: (request) => inner.claim({ ...request, retainUntil: 0 }) }),
  'renews for longer than asked': (inner) => ({ renew: (request) => inner.renew({ ...request, leaseMs: 51 }) }),
  'reads before it claims': (inner) => ({
    async claim(request) {
      const seen = await inner.claim({ ...request, token: 'a look' })
      if (seen.status !== 'claimed') return seen
      await inner.release({ key: request.key, token: 'a look', completedHandlers: [], counted: false })
      return inner.claim(request)
    },
  }),
}

test.each(Object.entries(faulty))('the model finds a store that %s', async (_, change) => {
  const store = openMemory()
  const [inner] = store.stores as [Store]
  const stores = [{ ...inner, ...change(inner) }]
  const property = explainable({ ...store, stores })
  expect((await fc.check(property, { numRuns: 2000, endOnFailure: true })).failed).toBe(true)
})
