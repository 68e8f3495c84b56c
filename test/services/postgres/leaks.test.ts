/** Everything that an operation of postgresStore acquires is released, also after failures and time limits. */
import { expect, test } from 'vitest'
import { postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { fixedClock } from '../../../src/testing/index.js'
import { rejection } from '../../support/caught.js'
import { collectGarbage } from '../../support/garbage.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

const AT_ONCE = 500
const WARM_UP = 5000
/** A leak of one small object for each operation would be larger. */
const MAX_GROWTH = 2 * 2 ** 20

function claimOf(index: number) {
  const key = index.toString(16).padStart(64, '0')
  return { key, token: `token-${index}`, leaseMs: 60_000, retainUntil: Date.now() + 60 * 60_000, attemptGapMs: 30_000 }
}

async function usedBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Runs an operation many times, 500 at once, and returns by how many bytes the memory has grown. */
async function growthOf(count: number, operation: (index: number) => unknown): Promise<number> {
  const run = async (from: number, to: number) => {
    for (let index = from; index < to; index += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, offset) => operation(index + offset)))
    }
  }
  await run(0, WARM_UP)
  const before = await usedBytes()
  await run(WARM_UP, WARM_UP + count)
  return (await usedBytes()) - before
}

describeWithService('postgres', 'postgresStore leaves nothing behind', (url) => {
  const scene = postgresScene(url)

  test('100,000 claims, completions and releases leave no memory and no timer', { timeout: 300_000 }, async () => {
    const clock = fixedClock()
    const pool = scene.pool()
    const store = postgresStore({ pool, table: scene.table, clock })
    const growth = await growthOf(100_000, async (index) => {
      const request = claimOf(index)
      await store.claim(request)
      if (index % 2 === 0) return store.complete(request)
      return store.release({ ...request, completedHandlers: ['count'], counted: true })
    })
    expect(growth).toBeLessThan(MAX_GROWTH)
    expect([store.waiting(), clock.pendingTimers(), pool.waitingCount]).toEqual([0, 0, 0])
  })

  test('5,000 transactions, half of which fail, leave no memory and no connection', { timeout: 300_000 }, async () => {
    const pool = scene.pool()
    const store = postgresStore({ pool, table: `${scene.schema}.transacted` })
    const growth = await growthOf(5_000, async (index) => {
      const request = claimOf(index)
      await store.claim({ ...request, waitMs: 60_000 })
      const transacted = store.transaction({ ...request, checkpoint: 'count' })(async (tx) => {
        await tx.query('SELECT 1')
        if (index % 2 === 0) throw new Error('the function failed')
      })
      await transacted.catch(() => {})
    })
    expect(growth).toBeLessThan(MAX_GROWTH)
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  test('50,000 operations that wait in vain leave no memory, no timer and no waiting call', {
    timeout: 300_000,
  }, async () => {
    const clock = fixedClock()
    const pool = scene.pool({ max: 1 })
    const store = postgresStore({ pool, table: scene.table, clock })
    await store.claim(claimOf(0))
    const taken = await pool.connect()
    try {
      const run = async (index: number) => {
        const rejected = rejection(Promise.resolve(store.claim({ ...claimOf(index), waitMs: 1_000 })))
        if (index % AT_ONCE === AT_ONCE - 1) await clock.advance(1_000)
        expect(await rejected).toMatchObject({ code: 'store_unavailable' })
      }
      expect(await growthOf(50_000, run)).toBeLessThan(MAX_GROWTH)
      expect([store.waiting(), clock.pendingTimers(), pool.waitingCount]).toEqual([0, 0, 1])
    } finally {
      taken.release()
    }
    await store.claim(claimOf(1))
    expect([pool.waitingCount, pool.idleCount]).toEqual([0, 1])
  })
})
