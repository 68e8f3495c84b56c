/** What an application does to the connection and the tables of sqliteStore: nothing of it harms a delivery for longer than it lasts. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { sqliteInbox } from '../../../../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver, type QuarantineEntry } from '../../../../src/index.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock, signDelivery } from '../../../../src/testing/index.js'
import { rejection } from '../../../support/caught.js'
import { LIBRARIES, rowsOf, temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()
const SECRET = 'your_webhook_secret'

/** Creates a claim of one of many deliveries. */
function claimOf(index: number, waitMs?: number) {
  const key = index.toString(16).padStart(64, '0')
  const retainUntil = Date.now() + 60 * 60_000
  return { key, token: `token-${index}`, leaseMs: 60_000, retainUntil, attemptGapMs: 30_000, ...(waitMs && { waitMs }) }
}

const ENTRY: QuarantineEntry = {
  ...{ key: 'f'.repeat(64), code: 'stale', eventType: 'qr.created', rawBody: Uint8Array.of(1), headers: {} },
  ...{ error: undefined, receivedAt: 1, attempt: 1 },
}

describe.each(Object.entries(LIBRARIES))('sqliteStore with %s', (_, open) => {
  test('creates its tables again with any operation after they were dropped', async () => {
    const file = newFile()
    const store = sqliteStore({ database: open(file) })
    const other = open(file)
    const held = claimOf(1)
    const operations = {
      claim: async () => (await store.claim(claimOf(2))).status,
      renew: async () => store.renew(held),
      complete: async () => store.complete(held),
      release: async () => store.release({ ...held, completedHandlers: [], counted: true }),
      transaction: async () => rejection(store.transaction({ ...held, checkpoint: 'count' })(() => 1)),
      quarantine: async () => store.quarantine(ENTRY),
      discard: async () => store.quarantine.discard(ENTRY.key),
      list: async () => store.quarantine.list(),
      count: async () => store.quarantine.count?.(),
    }
    const results: Record<string, unknown> = {}
    for (const [name, operation] of Object.entries(operations)) {
      await store.claim(held)
      other.exec('DROP TABLE govalid_deliveries; DROP TABLE govalid_deliveries_quarantine')
      results[name] = await operation()
    }
    expect(results).toEqual({
      ...{ claim: 'claimed', renew: false, complete: false, release: false, quarantine: undefined, discard: undefined },
      ...{ list: [], count: 0, transaction: expect.objectContaining({ code: 'lease_lost' }) },
    })
  })

  test('creates its tables again in the middle of a group', async () => {
    const file = newFile()
    const store = sqliteStore({ database: open(file) })
    const other = open(file)
    const claims = Array.from({ length: 20 }, (_, index) => store.claim(claimOf(index)))
    other.exec('DROP TABLE govalid_deliveries')
    const results = await Promise.all(claims)
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['claimed']))
    // The claims that ran before the group are gone with the table.
    expect(rowsOf(other, 'SELECT 1 FROM govalid_deliveries')).toHaveLength(18)
  })

  test('waits for a transaction that the application left open, and never becomes a part of it', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    await store.claim(claimOf(1))
    database.exec('CREATE TABLE orders (id INTEGER); BEGIN; INSERT INTO orders VALUES (1)')
    const operations = [store.claim(claimOf(2)), store.complete(claimOf(1)), store.quarantine(ENTRY)]
    await new Promise((resolve) => setImmediate(resolve))
    expect(store.waiting()).toBe(3)
    database.exec('ROLLBACK')
    expect(await Promise.all(operations)).toEqual([expect.objectContaining({ status: 'claimed' }), true, undefined])
    expect(rowsOf(database, 'SELECT id FROM orders')).toEqual([])
    expect(await store.claim({ ...claimOf(1), token: 'another' })).toEqual({ status: 'done' })
  })

  test('rejects with the fix if the application leaves a transaction open for too long', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    database.exec('BEGIN')
    const claimed = (async () => store.claim(claimOf(1, 100)))()
    const error = await rejection(claimed)
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('its own connection') })
    expect(store.waiting()).toBe(0)
    database.exec('COMMIT')
    expect(await store.renew(claimOf(1))).toBe(false)
  })

  test('is not deceived by the old snapshot of an open transaction', async () => {
    const file = newFile()
    const database = open(file)
    const store = sqliteStore({ database })
    const other = sqliteStore({ database: open(file) })
    await other.claim(claimOf(1))
    database.exec('BEGIN')
    rowsOf(database, 'SELECT * FROM govalid_deliveries')
    await other.release({ ...claimOf(1), completedHandlers: [], counted: true })
    const claimed = store.claim({ ...claimOf(1), token: 'another' })
    database.exec('COMMIT')
    expect(await claimed).toMatchObject({ status: 'claimed', attempt: 2 })
  })

  test('sets its settings again if the application changes them', async () => {
    const clock = fixedClock()
    const file = newFile()
    const database = open(file)
    const store = sqliteStore({ database, clock })
    await store.claim(claimOf(1))
    database.exec('PRAGMA synchronous = OFF; PRAGMA busy_timeout = 60000; PRAGMA foreign_keys = OFF')
    await clock.advance(1000)
    await store.claim(claimOf(2))
    const [synchronous, timeout] = ['synchronous', 'busy_timeout'].map(
      (pragma) => Object.values(rowsOf(database, `PRAGMA ${pragma}`)[0] as object)[0],
    )
    expect({ synchronous, timeout }).toEqual({ synchronous: 2, timeout: 0 })
  })

  test('continues after the application has switched off write-ahead logging', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    await store.claim(claimOf(1))
    database.exec('PRAGMA journal_mode = DELETE')
    expect(await store.complete(claimOf(1))).toBe(true)
    expect(await store.claim({ ...claimOf(1), token: 'another' })).toEqual({ status: 'done' })
  })

  test('keeps the claim if the application uses a store operation inside its transaction', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    await store.claim(claimOf(1))
    let nested: unknown
    await store.transaction({ ...claimOf(1), checkpoint: 'count' })(() => {
      nested = store.claim(claimOf(2))
    })
    expect(await nested).toMatchObject({ status: 'claimed' })
    expect(await store.complete(claimOf(1))).toBe(true)
  })
})

test('a database that was closed and opened again is used again', async () => {
  const database = new DatabaseSync(newFile())
  const store = sqliteStore({ database })
  await store.claim(claimOf(1))
  database.close()
  expect(String(await rejection((async () => store.renew(claimOf(1)))()))).toContain('database is not open')
  database.open()
  expect(await store.renew(claimOf(1))).toBe(true)
})

test('a query that reads rows one by one on the connection delays an operation until it ends', async () => {
  const database = LIBRARIES['better-sqlite3']?.(newFile()) as ReturnType<(typeof LIBRARIES)['better-sqlite3']>
  const store = sqliteStore({ database })
  await store.claim(claimOf(1))
  const rows = (
    database.prepare('SELECT * FROM govalid_deliveries') as unknown as { iterate(): IterableIterator<unknown> }
  ).iterate()
  rows.next()
  const completed = store.complete(claimOf(1))
  rows.return?.()
  expect(await completed).toBe(true)
})

test('sqliteInbox creates its tables again after they were dropped', async () => {
  const file = newFile()
  const inbox = sqliteInbox({ database: new DatabaseSync(file) })
  const receiver = createReceiver({ secret: SECRET, inbox, onError: () => {} })
  const other = new DatabaseSync(file)
  const drop = () => other.exec('DROP TABLE govalid_inbox; DROP TABLE govalid_inbox_quarantine')
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: {} }
  drop()
  expect(await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)).toMatchObject({
    status: 'accepted',
  })
  drop()
  expect(await inbox.status()).toMatchObject({ waiting: 0 })
  drop()
  await inbox.quarantine(ENTRY)
  expect(await inbox.quarantine.count?.()).toBe(1)
})
