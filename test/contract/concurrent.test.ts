/** A small share of `npm run proof:concurrent`: 1,000 copies of one delivery at once over four processes, for each shared store. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { describeWithService } from '../support/services.js'

/** Runs the proof; rejects when it exits with another code than 0. */
async function prove(store: string, rounds: number): Promise<string> {
  const { postgres, redis } = inject('services')
  const env = { ...process.env, DATABASE_URL: postgres, REDIS_URL: redis, REQUIRE_SERVICES: '1' }
  const args = ['scripts/run-ts.mjs', 'test/proof/concurrent.ts', '--store', store, '--rounds', String(rounds)]
  return (await promisify(execFile)(process.execPath, args, { env })).stdout
}

const ONE_CALL_A_ROUND = /^[\w-]+: 2 rounds of 1000 copies at once over 4 processes: 2 handler calls, 0 rounds wrong/

describeWithService('postgres', '1,000 copies at once over four processes, with postgresStore', () => {
  it('call one handler once', async () => {
    expect(await prove('postgres', 2)).toMatch(ONE_CALL_A_ROUND)
  })

  it('call it many times when the store looks first and writes then: the control', async () => {
    expect(await prove('get-then-set', 1)).toMatch(/control, must be caught.* 1 rounds wrong/)
  })
})

describeWithService('redis', '1,000 copies at once over four processes, with redisStore', () => {
  it.each(['ioredis', 'node-redis'])('call one handler once, with %s', async (client) => {
    expect(await prove(client, 2)).toMatch(ONE_CALL_A_ROUND)
  })
})

describe('1,000 copies at once over four processes, with sqliteStore', () => {
  it('call one handler once', async () => {
    expect(await prove('sqlite', 2)).toMatch(ONE_CALL_A_ROUND)
  })
})
