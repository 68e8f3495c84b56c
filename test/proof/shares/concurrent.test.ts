/** A small share of the concurrency proof: 1,000 concurrent copies of one delivery in four processes, for each shared store. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { describeWithService } from '../../support/services.js'

/** Runs the proof. Rejects if its exit code isn't 0. */
async function prove(store: string, rounds: number): Promise<string> {
  const { postgres, redis } = inject('services')
  const env = { ...process.env, DATABASE_URL: postgres, REDIS_URL: redis, REQUIRE_SERVICES: '1' }
  const args = ['scripts/run-ts.mjs', 'test/proof/concurrent.ts', '--store', store, '--rounds', String(rounds)]
  return (await promisify(execFile)(process.execPath, args, { env })).stdout
}

const ONE_CALL_PER_ROUND = /^[\w-]+: 2 rounds of 1000 copies at once over 4 processes: 2 handler calls, 0 rounds wrong/

describeWithService('postgres', 'concurrent copies in four processes, with postgresStore', () => {
  it('call one handler once', async () => {
    expect(await prove('postgres', 2)).toMatch(ONE_CALL_PER_ROUND)
  })

  it('call it several times with the control, a store that reads before it writes', async () => {
    expect(await prove('get-then-set', 1)).toMatch(/control, must be caught.* 1 rounds wrong/)
  })
})

describeWithService('redis', 'concurrent copies in four processes, with redisStore', () => {
  it.each(['ioredis', 'node-redis'])('call one handler once, with %s', async (client) => {
    expect(await prove(client, 2)).toMatch(ONE_CALL_PER_ROUND)
  })
})

describe('concurrent copies in four processes, with sqliteStore', () => {
  it('call one handler once', async () => {
    expect(await prove('sqlite', 2)).toMatch(ONE_CALL_PER_ROUND)
  })
})
