/** Everything that an operation of sqliteStore or a job of sqliteInbox acquires is released, also after time limits and errors. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqliteInbox } from '../../../../src/inboxes/sqlite/sqlite-inbox.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock } from '../../../../src/testing/index.js'
import { rejection } from '../../../support/caught.js'
import { collectGarbage } from '../../../support/garbage.js'
import { temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()
const AT_ONCE = 500
const WARM_UP = 5000
const COUNT = 100_000
/** A leak of one small object for each operation would be larger. */
const MAX_GROWTH = 2 * 2 ** 20

function claimOf(index: number) {
  const key = index.toString(16).padStart(64, '0')
  return { key, token: `token-${index}`, leaseMs: 60_000, retainUntil: Date.now() + 60 * 60_000, attemptGapMs: 0 }
}

async function usedBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Runs an operation many times and returns by how many bytes the memory has grown. */
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

test(`${COUNT} claims and completions leave no memory and no timer`, { timeout: 180_000 }, async () => {
  const clock = fixedClock()
  const store = sqliteStore({ database: new DatabaseSync(':memory:'), clock })
  const growth = await growthOf(COUNT, async (index) => {
    const request = claimOf(index)
    await store.claim(request)
    if (index % 10 === 0) await store.renew({ ...request, completedHandlers: ['count'] })
    if (index % 2 === 0) return store.complete(request)
    return store.release({ ...request, completedHandlers: [], counted: true })
  })
  expect(growth).toBeLessThan(MAX_GROWTH)
  expect([store.waiting(), clock.pendingTimers()]).toEqual([0, 0])
})

test('20,000 transactions, half of which fail, leave no memory', { timeout: 180_000 }, async () => {
  const store = sqliteStore({ database: new DatabaseSync(':memory:'), clock: fixedClock() })
  const growth = await growthOf(20_000, async (index) => {
    const request = claimOf(index)
    await store.claim(request)
    const transact = store.transaction({ ...request, checkpoint: 'count' })
    const transacted = transact(() => {
      if (index % 2 === 0) throw new Error('the function failed')
    })
    await transacted.catch(() => {})
    await store.complete(request)
  })
  expect(growth).toBeLessThan(MAX_GROWTH)
})

test('50,000 operations that wait in vain leave no memory and no timer', { timeout: 180_000 }, async () => {
  const file = newFile()
  const clock = fixedClock()
  const store = sqliteStore({ database: new DatabaseSync(file), clock })
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  let late = 0
  const growth = await growthOf(50_000, async (index) => {
    const rejected = rejection((async () => store.claim({ ...claimOf(index), waitMs: 100 }))())
    // The last operation of a group lets the time of all pass.
    if (index % AT_ONCE === AT_ONCE - 1) await clock.advance(200)
    await rejected
    late++
  })
  expect(late).toBe(WARM_UP + 50_000)
  expect(growth).toBeLessThan(MAX_GROWTH)
  expect([store.waiting(), clock.pendingTimers()]).toEqual([0, 0])
})

test('20,000 jobs of an inbox leave no memory, and a stopped inbox no timer', { timeout: 180_000 }, async () => {
  const clock = fixedClock()
  const inbox = sqliteInbox({ database: new DatabaseSync(':memory:'), clock, concurrency: 100 })
  let processed = 0
  inbox.start(async () => {
    processed++
    return { status: 'processed' }
  })
  const growth = await growthOf(20_000, (index) =>
    inbox.accept({ key: claimOf(index).key, rawBody: new Uint8Array(300), headers: {}, receivedAt: 0 }),
  )
  while (processed < WARM_UP + 20_000) await new Promise((resolve) => setImmediate(resolve))
  await inbox.stop()
  expect(growth).toBeLessThan(MAX_GROWTH)
  expect(await inbox.status()).toMatchObject({ waiting: 0, processing: 0 })
  expect(clock.pendingTimers()).toBe(0)
})
