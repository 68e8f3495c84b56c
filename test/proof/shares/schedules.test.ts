/** A small share of the proof of schedules: random calls of four workers for each of 16 deliveries at once, over each shared store. */
import { describe, expect, it } from 'vitest'
import { describeWithService } from '../../support/services.js'
import { type OpenedStore, openLossy, openPostgres, openRedis, openSqlite } from '../schedules/opened.js'
import { assertSchedules } from '../schedules/stores.js'

const ROUNDS = 100

/** Another run would play other schedules and hide a fault that the first one found. */
const ONCE = { retry: 0 }

const LOSSY_ROUNDS = 20

const play = (store: OpenedStore, rounds = ROUNDS) => assertSchedules(store, rounds).finally(() => store.close())

const SHARED = [
  ['postgres', openPostgres],
  ['redis', openRedis],
] as const

for (const [service, open] of SHARED) {
  describeWithService(service, `random calls for several deliveries, with ${service}Store`, (url) => {
    it('have the results that the contract allows', ONCE, async () => {
      expect(await play(open(url))).toBeGreaterThan(20_000)
    })

    it('have them although responses are lost', ONCE, async () => {
      const store = await openLossy(open, url)
      expect(await play(store, LOSSY_ROUNDS)).toBeGreaterThan(4000)
      expect(store.lost?.()).toBeGreaterThan(10)
    })
  })
}

describe('random calls for several deliveries, with sqliteStore', () => {
  it('have the results that the contract allows', ONCE, async () => {
    expect(await play(openSqlite())).toBeGreaterThan(20_000)
  })
})
