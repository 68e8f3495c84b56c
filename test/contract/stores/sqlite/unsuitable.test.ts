/** Databases that sqliteStore and sqliteInbox refuse when they are created, each with its fix. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterDatabase from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { sqliteInbox } from '../../../../src/inboxes/sqlite/sqlite-inbox.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { caught } from '../../../support/caught.js'
import { LIBRARIES, rowsOf, type TestDatabase } from '../../../support/sqlite.js'

const folder = mkdtempSync(join(tmpdir(), 'govalid-sqlite-'))
// The tests also run as another user.
chmodSync(folder, 0o777)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const newFile = () => join(folder, `${++count}.db`)

const READ_ONLY: Readonly<Record<string, (file: string) => TestDatabase>> = {
  'node:sqlite': (file) => new DatabaseSync(file, { readOnly: true }),
  'better-sqlite3': (file) => new BetterDatabase(file, { readonly: true }) as unknown as TestDatabase,
}

/** Runs a function as a user without rights, because file permissions don't bind root. */
function withoutRootsRights<Result>(fn: () => Result): Result {
  if (process.getuid?.() !== 0) return fn()
  process.seteuid?.(65_534)
  try {
    return fn()
  } finally {
    process.seteuid?.(0)
  }
}

/** Creates a file with one table, in the given journal mode. */
function createFile(file: string, mode: 'wal' | 'delete'): string {
  const database = new DatabaseSync(file)
  database.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE orders (id INTEGER)`)
  database.close()
  return file
}

const DRIVERS = {
  sqliteStore: (database: TestDatabase, table?: string) => sqliteStore({ database, table }),
  sqliteInbox: (database: TestDatabase, table?: string) => sqliteInbox({ database, table }),
}
const CASES = Object.entries(DRIVERS).flatMap(([name, create]) =>
  Object.entries(LIBRARIES).map(([library, open]) => ({ name, create, library, open })),
)

describe.each(CASES)('$name with $library refuses', ({ name, create, library, open }) => {
  const openReadOnly = READ_ONLY[library] as (file: string) => TestDatabase
  const expectFix = (error: unknown, fix: string) => {
    expect(error).toMatchObject({ code: 'store_unsuitable', message: expect.stringContaining(fix) })
    expect(String(error)).toContain(name)
  }

  test.each(['wal', 'delete'] as const)('a read-only connection in journal mode %s', (mode) => {
    const database = openReadOnly(createFile(newFile(), mode))
    expectFix(
      caught(() => create(database)),
      'without a read-only option',
    )
  })

  test.each(['wal', 'delete'] as const)('a file that it may not write, in journal mode %s', (mode) => {
    const file = createFile(newFile(), mode)
    chmodSync(file, 0o444)
    withoutRootsRights(() =>
      expectFix(
        caught(() => create(open(file))),
        'let the process write to the file',
      ),
    )
  })

  test.each(['wal', 'delete'] as const)('a folder that it may not write, in journal mode %s', (mode) => {
    const readOnly = join(folder, `folder-${++count}`)
    mkdirSync(readOnly)
    const file = createFile(join(readOnly, 'app.db'), mode)
    chmodSync(file, 0o666)
    chmodSync(readOnly, 0o555)
    withoutRootsRights(() =>
      expectFix(
        caught(() => create(open(file))),
        'and to its folder',
      ),
    )
  })

  test('a file with other contents', () => {
    const file = newFile()
    writeFileSync(file, 'x'.repeat(10_000))
    expectFix(
      caught(() => create(open(file))),
      'file is not a database',
    )
  })

  test('a temporary database, which has no write-ahead logging', () => {
    expectFix(
      caught(() => create(open(''))),
      'write-ahead logging',
    )
  })

  test.each([
    ['with other columns', 'CREATE TABLE mine (id INTEGER PRIMARY KEY, name TEXT)'],
    ['that is a view', 'CREATE TABLE other (key TEXT); CREATE VIEW mine AS SELECT * FROM other'],
  ])('a foreign table %s', (_, sql) => {
    const database = open(newFile())
    database.exec(sql)
    expectFix(
      caught(() => create(database, 'mine')),
      'Choose another name with the option `table`',
    )
    expect(rowsOf(database, `SELECT name FROM sqlite_schema WHERE name LIKE 'mine_%'`)).toEqual([])
  })

  test.each([
    ['another required column', (sql: string) => sql.replace('(', '(tenant TEXT NOT NULL,')],
    ['no unique key', (sql: string) => sql.replace(/,\s*PRIMARY KEY \(.*?\)| UNIQUE/g, '')],
  ])('a table of its own with %s', (_, change) => {
    const database = open(newFile())
    create(database, 'mine')
    const [{ sql }] = rowsOf(database, `SELECT sql FROM sqlite_schema WHERE name = 'mine'`) as [{ sql: string }]
    database.exec('DROP TABLE mine')
    database.exec(change(sql))
    expectFix(
      caught(() => create(database, 'mine')),
      'Choose another name with the option `table`',
    )
  })

  test('a foreign table in the place of the quarantine', () => {
    const database = open(newFile())
    database.exec('CREATE TABLE mine_quarantine (key TEXT)')
    expectFix(
      caught(() => create(database, 'mine')),
      'mine_quarantine',
    )
  })

  test('a closed database', () => {
    const database = open(newFile())
    database.close()
    expect(caught(() => create(database))).toMatchObject({ code: 'option_invalid' })
  })

  test.each([undefined, null, 'app.db', {}, { prepare() {} }])('%j as a database', (database) => {
    expect(caught(() => create(database as never))).toMatchObject({ code: 'option_invalid' })
  })

  test.each(['', '1st', 'a-b', 'a"b', 'x'.repeat(62)])('the table name %j', (table) => {
    expect(caught(() => create(open(':memory:'), table))).toMatchObject({ code: 'option_invalid' })
  })

  test.each(['3.24.0', '3.34.1', '3.41.2'])('SQLite %s, and says how to update it', (version) => {
    const database = open(newFile())
    // An old better-sqlite3 needs an old Node, so this version only claims to be old.
    const { function: define } = database as unknown as { function(name: string, fn: () => string): unknown }
    define.call(database, 'sqlite_version', () => version)
    const error = caught(() => create(database))
    expect(error).toMatchObject({ code: 'option_invalid' })
    expect(String(error)).toMatch(/SQLite 3\.42 or newer.*Run: npm install better-sqlite3@latest/)
    expect(String(error)).toContain(`this is SQLite ${version}`)
  })

  test('the path of a folder, because the library itself refuses it', () => {
    expect(String(caught(() => open(folder)))).toContain('unable to open database file')
  })
})

test('a namespace that isn’t a string is refused at creation, because SQLite would refuse it with every delivery', () => {
  const create = () => sqliteStore({ database: new DatabaseSync(':memory:'), namespace: null as never })
  expect(caught(create)).toMatchObject({ code: 'option_invalid' })
})

test('a connection that becomes read-only is reported with its fix, and used again once it can be written', async () => {
  const database = new DatabaseSync(newFile())
  const store = sqliteStore({ database })
  const claim = {
    key: 'a'.repeat(64),
    token: 'token',
    leaseMs: 1000,
    retainUntil: Date.now() + 60_000,
    attemptGapMs: 0,
  }
  database.exec('PRAGMA query_only = ON')
  const attempt = async () => store.claim(claim)
  await expect(attempt()).rejects.toMatchObject({
    code: 'store_unsuitable',
    message: expect.stringContaining('without query_only'),
  })
  database.exec('PRAGMA query_only = OFF')
  expect((await attempt()).status).toBe('claimed')
})
