/** A small share of the proof of schedules: random calls of four workers for each of 16 deliveries at once, over each shared store. */
import fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { describeWithService } from '../../support/services.js'
import { type OpenedStore, openPostgres, openRedis, openSqlite } from '../schedules/opened.js'
import { playSchedules, schedulesOf } from '../schedules/stores.js'

const ROUNDS = 100

/** Another run would play other schedules and hide a fault that the first one found. */
const ONCE = { retry: 0 }

/**
 * Plays random schedules. Rejects if no order of the calls explains the results of a store; `npm run proof -- schedules` with its seed
 * reduces them. Resolves to the number of calls.
 */
async function play(store: OpenedStore): Promise<number> {
  let calls = 0
  const property = fc.asyncProperty(schedulesOf(store.keysAtOnce, 3), async (schedules) => {
    calls += await playSchedules(schedules, store)
  })
  await fc.assert(property, { numRuns: ROUNDS, endOnFailure: true }).finally(() => store.close())
  return calls
}

describeWithService('postgres', 'random calls for several deliveries, with postgresStore', () => {
  it('have the results that the contract allows', ONCE, async () => {
    expect(await play(openPostgres(String(inject('services').postgres)))).toBeGreaterThan(20_000)
  })
})

describeWithService('redis', 'random calls for several deliveries, with redisStore', () => {
  it('have the results that the contract allows', ONCE, async () => {
    expect(await play(openRedis(String(inject('services').redis)))).toBeGreaterThan(20_000)
  })
})

describe('random calls for several deliveries, with sqliteStore', () => {
  it('have the results that the contract allows', ONCE, async () => {
    expect(await play(openSqlite())).toBeGreaterThan(20_000)
  })
})
