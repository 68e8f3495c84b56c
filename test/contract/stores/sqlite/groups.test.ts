/** Groups of writes in sqliteStore: one transaction for all operations that wait, with a separate result for each. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { QuarantineEntry } from '../../../../src/index.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock } from '../../../../src/testing/index.js'
import { rejection } from '../../../support/caught.js'
import { countCommits, LIBRARIES, rowsOf, temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()

/** Creates a claim of one of many deliveries. */
function claimOf(index: number, token = `token-${index}`) {
  const key = index.toString(16).padStart(64, '0')
  return { key, token, leaseMs: 60_000, retainUntil: Date.now() + 60 * 60_000, attemptGapMs: 0 }
}

function entryOf(index: number, bytes: number): QuarantineEntry {
  const { key } = claimOf(index)
  const rest = { eventType: undefined, headers: {}, error: undefined, receivedAt: 1, attempt: 1 }
  return { key, code: 'stale', rawBody: new Uint8Array(bytes), ...rest }
}

describe.each(Object.entries(LIBRARIES))('a group of writes in sqliteStore with %s', (_, open) => {
  test('commits all operations that wait in one transaction', async () => {
    const { database, take } = countCommits(open(newFile()))
    const store = sqliteStore({ database, clock: fixedClock() })
    take()
    const claims = Array.from({ length: 200 }, (_, index) => store.claim(claimOf(index)))
    // The first two run immediately, because they could be alone.
    expect([take(), store.waiting()]).toEqual([2, 198])
    expect((await Promise.all(claims)).every(({ status }) => status === 'claimed')).toBe(true)
    expect([take(), store.waiting()]).toEqual([1, 0])
    const completions = Array.from({ length: 200 }, (_, index) => store.complete(claimOf(index)))
    expect(new Set(await Promise.all(completions))).toEqual(new Set([true]))
    expect(take()).toBe(1)
  })

  test('is followed by another group if more than 256 operations wait', async () => {
    const { database, take } = countCommits(open(newFile()))
    const store = sqliteStore({ database, clock: fixedClock() })
    take()
    const results = await Promise.all(Array.from({ length: 1000 }, (_, index) => store.claim(claimOf(index))))
    expect(results.every(({ status }) => status === 'claimed')).toBe(true)
    expect(take()).toBe(2 + Math.ceil(998 / 256))
  })

  test('gathers the operations of several turns as long as each turn brings more, for at most 8 ms', async () => {
    const { database, take } = countCommits(open(newFile()))
    const clock = fixedClock()
    const store = sqliteStore({ database, clock })
    take()
    const claims: unknown[] = []
    const claimMore = async () => {
      for (let index = 0; index < 5; index++) claims.push(store.claim(claimOf(claims.length)))
      await nextTurn()
    }
    for (let turn = 0; turn < 4; turn++) await claimMore()
    expect([take(), store.waiting()]).toEqual([2, 18])
    await Promise.all(claims)
    expect(take()).toBe(1)

    await claimMore()
    clock.set(clock.now() + 8)
    await claimMore()
    expect([take(), store.waiting()]).toEqual([1, 0])
  })

  test('ends after 8 ms, so that the process can do something else', async () => {
    let now = 0
    const { database, take } = countCommits(open(newFile()))
    const store = sqliteStore({ database, clock: { ...fixedClock(), monotonicNow: () => now++ } })
    take()
    let turns = 0
    const claims = Promise.all(Array.from({ length: 102 }, (_, index) => store.claim(claimOf(index))))
    while (store.waiting() > 0) {
      await nextTurn()
      turns++
    }
    expect((await claims).every(({ status }) => status === 'claimed')).toBe(true)
    expect(take()).toBeGreaterThan(10)
    expect(turns).toBeGreaterThan(10)
  })

  test('decides claims of one delivery in order', async () => {
    const store = sqliteStore({ database: open(newFile()) })
    const claims = Array.from({ length: 50 }, (_, index) => store.claim(claimOf(1, `token-${index}`)))
    const [first, ...others] = (await Promise.all(claims)).map(({ status }) => status)
    expect(first).toBe('claimed')
    expect(new Set(others)).toEqual(new Set(['busy']))
  })

  test('runs completions, releases and renewals before new claims', async () => {
    const store = sqliteStore({ database: open(newFile()) })
    for (const index of [1, 2, 3]) await store.claim(claimOf(index))
    await nextTurn()
    // The first two operations of a turn run immediately, so these claims wait.
    const immediate = [store.renew(claimOf(3)), store.renew(claimOf(3))]
    const claims = [1, 2].map((index) => store.claim(claimOf(index, 'another')))
    const completed = store.complete(claimOf(1))
    const released = store.release({ ...claimOf(2), completedHandlers: ['count'], counted: true })
    expect(await Promise.all([...immediate, completed, released])).toEqual([true, true, true, true])
    expect(await Promise.all(claims)).toEqual([
      { status: 'done' },
      { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] },
    ])
  })

  test('runs the last entry of a delivery before the claims that wait, and an early entry after them', async () => {
    const store = sqliteStore({ database: open(newFile()), clock: fixedClock() })
    const immediate = [store.claim(claimOf(1)), store.claim(claimOf(2))]
    const order: string[] = []
    const record = (what: string) => () => void order.push(what)
    // More than fit in one group.
    const claims = Array.from({ length: 300 }, (_, index) =>
      Promise.resolve(store.claim(claimOf(index + 10))).then(record('claim')),
    )
    const early = store.quarantine({ ...entryOf(5, 10), code: 'retry_pending' })
    const last = store.quarantine({ ...entryOf(6, 10), code: 'attempts_exhausted' })
    const entries = [Promise.resolve(early).then(record('early')), Promise.resolve(last).then(record('last'))]
    await Promise.all([...immediate, ...claims, ...entries])
    expect(order.indexOf('last')).toBeLessThan(256)
    expect(order.indexOf('early')).toBe(301)
  })

  test('gives a failing operation its error, and every other operation its result', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    for (const index of [7, 8]) {
      await store.claim(claimOf(index))
      await store.release({ ...claimOf(index), completedHandlers: [], counted: true })
    }
    database.exec(`UPDATE govalid_deliveries SET completed_handlers = 'no JSON' WHERE key = '${claimOf(7).key}'`)
    const claims = Array.from({ length: 40 }, (_, index) => (async () => store.claim(claimOf(index)))())
    const settled = await Promise.allSettled(claims)
    expect(settled.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7])
    expect(settled[8]).toMatchObject({ value: { status: 'claimed', attempt: 2 } })
    const records = rowsOf(database, 'SELECT token FROM govalid_deliveries ORDER BY key')
    expect(records.map(({ token }) => token)).toEqual(Array.from({ length: 40 }, (_, index) => `token-${index}`))
    // The failed claim has left no trace.
    expect(rowsOf(database, `SELECT state FROM govalid_deliveries WHERE key = '${claimOf(7).key}'`)).toEqual([
      { state: 'released' },
    ])
  })

  test('gives a transaction that throws its error, and commits the operations around it', async () => {
    const database = open(newFile())
    database.exec('CREATE TABLE effects (id INTEGER)')
    const store = sqliteStore({ database })
    for (const index of [1, 2, 3]) await store.claim(claimOf(index))
    const failure = new Error('within the transaction')
    const transact = (index: number, end: () => void) =>
      store.transaction({ ...claimOf(index), checkpoint: 'count' })((tx) => {
        tx.exec(`INSERT INTO effects VALUES (${index})`)
        end()
      })
    const operations = [
      store.complete(claimOf(9)),
      transact(1, () => {}),
      transact(2, () => {
        throw failure
      }),
      transact(3, () => {}),
      store.complete(claimOf(1)),
    ]
    const settled = await Promise.allSettled(operations)
    expect(settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason))).toEqual([
      ...[false, undefined, failure, undefined, true],
    ])
    expect(rowsOf(database, 'SELECT id FROM effects')).toEqual([{ id: 1 }, { id: 3 }])
  })

  test('fails only the operation that does not fit on the disk', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    const [{ page_count: pages }] = rowsOf(database, 'PRAGMA page_count') as [{ page_count: number }]
    database.exec(`PRAGMA max_page_count = ${pages + 10}`)
    const puts = Array.from({ length: 20 }, (_, index) => store.quarantine(entryOf(index, index === 11 ? 200_000 : 10)))
    const settled = await Promise.allSettled(puts)
    expect(settled.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([11])
    expect(await store.quarantine.count?.()).toBe(19)
  })

  test('waits while another connection writes, without blocking the process', async () => {
    const file = newFile()
    const store = sqliteStore({ database: open(file) })
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const claims = Array.from({ length: 20 }, (_, index) => store.claim(claimOf(index)))
    await nextTurn()
    expect(store.waiting()).toBe(20)
    other.exec('ROLLBACK')
    expect((await Promise.all(claims)).every(({ status }) => status === 'claimed')).toBe(true)
  })

  test('changes nothing later if it waited in vain for another connection', async () => {
    const file = newFile()
    const clock = fixedClock()
    const store = sqliteStore({ database: open(file), clock })
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const claims = [100, 4400].map((waitMs, index) =>
      rejection((async () => store.claim({ ...claimOf(index), waitMs }))()),
    )
    await clock.advance(100)
    expect([await claims[0], store.waiting()]).toMatchObject([{ code: 'store_unavailable' }, 1])
    await clock.advance(4400)
    expect([await claims[1], store.waiting()]).toMatchObject([{ code: 'store_unavailable' }, 0])
    other.exec('ROLLBACK')
    await clock.advance(10_000)
    expect(rowsOf(other, 'SELECT key FROM govalid_deliveries')).toEqual([])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('rejects operations with overloaded if their callers have waited too long, and changes nothing later', async () => {
    const database = open(newFile())
    const clock = fixedClock()
    const store = sqliteStore({ database, clock })
    const patient = [0, 1, 2].map((index) => store.claim({ ...claimOf(index), waitMs: 10_000 }))
    const impatient = [3, 4].map((index) => rejection((async () => store.claim({ ...claimOf(index), waitMs: 1000 }))()))
    // The process is busy for so long.
    clock.set(clock.now() + 5000)
    const message = expect.stringContaining('overloaded: 3 operations waiting')
    expect(await impatient[0]).toMatchObject({ code: 'overloaded', message })
    expect(await impatient[1]).toMatchObject({ code: 'overloaded', message })
    expect((await Promise.all(patient)).every(({ status }) => status === 'claimed')).toBe(true)
    expect(rowsOf(database, 'SELECT key FROM govalid_deliveries')).toHaveLength(3)
  })
})
