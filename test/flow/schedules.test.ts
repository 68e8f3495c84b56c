/** A share of `npm run proof -- schedules`: the core under random orders of arrivals, store results, handler ends and time. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryStore, type Store } from '../../src/index.js'
import { CORE_SCRIPTS, playCore } from '../proof/schedules/core.js'
import type { SteppingClock } from '../proof/schedules/stepping-clock.js'

test('no schedule runs a delivery twice at once or after completion, lets a late owner change it, or returns a wrong outcome', async () => {
  let storeCalls = 0
  const property = fc.asyncProperty(fc.scheduler(), CORE_SCRIPTS, async (scheduler, script) => {
    storeCalls += await playCore(scheduler, script)
  })
  await fc.assert(property, { numRuns: 1000 })
  expect(storeCalls).toBeGreaterThan(3000)
})

const brokenStores: Readonly<Record<string, (inner: Store) => Partial<Store>>> = {
  'gives a claimed delivery to a second process': (inner) => ({
    claim: async (request) => {
      const result = await inner.claim(request)
      return result.status === 'busy'
        ? { ...result, status: 'claimed', releasedAttempts: 0, completedHandlers: [] }
        : result
    },
  }),
  'forgets completed deliveries': (inner) => ({
    claim: async (request) => {
      const result = await inner.claim(request)
      return result.status === 'done'
        ? { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
        : result
    },
  }),
  'confirms the completion of a late owner': (inner) => ({
    complete: async (request) => (await inner.complete(request)) || true,
  }),
}

test.each(Object.entries(brokenStores))('the schedules find a store that %s', async (_, change) => {
  const makeStore = (clock: SteppingClock) => {
    const inner = memoryStore({ clock })
    return { ...inner, ...change(inner) }
  }
  const property = fc.asyncProperty(fc.scheduler(), CORE_SCRIPTS, async (scheduler, script) => {
    await playCore(scheduler, script, makeStore)
  })
  expect((await fc.check(property, { numRuns: 5000, endOnFailure: true })).failed).toBe(true)
})
