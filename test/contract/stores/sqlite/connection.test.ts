/** sqliteStore and its database: the tables, the settings, and the records in the file. */
import { DatabaseSync } from 'node:sqlite'
import BetterDatabase from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { LIBRARIES, makeLater, rowsOf, type TestDatabase, temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()
const DAY_MS = 24 * 60 * 60 * 1000

/** Creates a claim of one of many deliveries. */
function claimOf(index: number) {
  const key = index.toString(16).padStart(64, '0')
  return { key, token: `token-${index}`, leaseMs: 1000, retainUntil: Date.now() + DAY_MS, attemptGapMs: 1000 }
}

describe.each(Object.entries(LIBRARIES))('sqliteStore with %s', (_, open) => {
  test('creates its tables when it is created', () => {
    const database = open(newFile())
    sqliteStore({ database })
    const tables = rowsOf(database, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    expect(tables.map(({ name }) => name)).toEqual(['govalid_deliveries', 'govalid_deliveries_quarantine'])
  })

  test('creates its tables with the first delivery if the file is locked', async () => {
    const file = newFile()
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const store = sqliteStore({ database: open(file) })
    other.exec('ROLLBACK')
    expect((await store.claim(claimOf(1))).status).toBe('claimed')
  })

  test('sets write-ahead logging, full synchronization and no busy timeout', async () => {
    const database = open(newFile())
    database.exec('PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000')
    await sqliteStore({ database }).claim(claimOf(1))
    const [mode, synchronous, timeout] = ['journal_mode', 'synchronous', 'busy_timeout'].map(
      (pragma) => Object.values(rowsOf(database, `PRAGMA ${pragma}`)[0] as object)[0],
    )
    expect({ mode, synchronous, timeout }).toEqual({ mode: 'wal', synchronous: 2, timeout: 0 })
  })

  test('works with an in-memory database', async () => {
    const store = sqliteStore({ database: open(':memory:') })
    expect((await store.claim(claimOf(1))).status).toBe('claimed')
    expect((await store.claim({ ...claimOf(1), token: 'another' })).status).toBe('busy')
  })

  test('returns done or busy without waiting while another connection writes', async () => {
    const file = newFile()
    const store = sqliteStore({ database: open(file) })
    for (const index of [1, 2, 3]) await store.claim({ ...claimOf(index), leaseMs: 60_000, attemptGapMs: 60_000 })
    await store.complete(claimOf(1))
    await store.complete({ ...claimOf(2), quarantined: true })
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const again = (index: number) => store.claim({ ...claimOf(index), token: 'another', attemptGapMs: 60_000 })
    expect(again(1)).toEqual({ status: 'done' })
    expect(again(2)).toEqual({ status: 'done' })
    expect(again(3)).toEqual({ status: 'busy', attempt: 1, until: expect.any(Number) })
    other.exec('ROLLBACK')
  })

  test('uses the configured table name', async () => {
    const database = open(newFile())
    await sqliteStore({ database, table: 'webhooks' }).claim(claimOf(1))
    const tables = rowsOf(database, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    expect(tables.map(({ name }) => name)).toEqual(['webhooks', 'webhooks_quarantine'])
  })

  test('deletes expired records during completions, and no others', async () => {
    const database = open(newFile())
    const store = sqliteStore({ database })
    const finish = async (index: number) => {
      await store.claim(claimOf(index))
      await store.complete(claimOf(index))
    }
    for (let index = 0; index < 60; index++) await finish(index)
    makeLater(database, 2 * DAY_MS)
    await store.claim({ ...claimOf(100), retainUntil: Date.now() - 1, leaseMs: 60_000 })
    for (let index = 101; index <= 112; index++) await finish(index)
    const left = rowsOf(database, 'SELECT key FROM govalid_deliveries ORDER BY key')
    expect(left.map(({ key }) => Number.parseInt(String(key), 16))).toEqual(
      Array.from({ length: 13 }, (_, n) => 100 + n),
    )
  })
})

describe('a connection that returns big integers or rows as arrays', () => {
  const databases: Readonly<Record<string, () => TestDatabase>> = {
    'node:sqlite with readBigInts': () => new DatabaseSync(newFile(), { readBigInts: true }),
    'node:sqlite with returnArrays': () => new DatabaseSync(newFile(), { returnArrays: true }),
    'node:sqlite without bare names': () => new DatabaseSync(newFile(), { allowBareNamedParameters: false }),
    'better-sqlite3 with safe integers': () => {
      const database = new BetterDatabase(newFile())
      return database.defaultSafeIntegers(true) as unknown as TestDatabase
    },
  }
  test.each(Object.entries(databases))('returns the same results: %s', async (_, open) => {
    const store = sqliteStore({ database: open() })
    const first = claimOf(1)
    expect(await store.claim(first)).toEqual({
      status: 'claimed',
      attempt: 1,
      releasedAttempts: 0,
      completedHandlers: [],
    })
    expect(await store.claim({ ...first, token: 'another' })).toEqual({
      ...{ status: 'busy', attempt: 1, until: expect.any(Number) },
    })
    await store.release({ ...first, completedHandlers: ['count'], counted: true })
    expect(await store.claim(first)).toEqual({
      status: 'claimed',
      attempt: 2,
      releasedAttempts: 1,
      completedHandlers: ['count'],
    })
    const entry = { ...{ key: first.key, code: 'stale', eventType: 'a', headers: {}, error: undefined }, attempt: 1 }
    await store.quarantine({ ...entry, rawBody: Uint8Array.of(0, 255), receivedAt: 1 })
    expect(await store.quarantine.list()).toEqual([{ ...entry, rawBody: Uint8Array.of(0, 255), receivedAt: 1 }])
  })
})
