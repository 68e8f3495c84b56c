/** The conformance suite on sqliteStore: both libraries, a file on disk, a connection per store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterDatabase from 'better-sqlite3'
import { afterAll, describe, test } from 'vitest'
import { type SqliteStore, type SqliteTransaction, sqliteStore } from '../../../src/stores/sqlite.js'
import type { SqliteDatabase } from '../../../src/stores/sqlite-connection.js'
import { testStore } from '../../../src/testing/test-store.js'

interface Database extends SqliteDatabase {
  close(): void
}

const LIBRARIES: readonly { readonly name: string; open(file: string): Database }[] = [
  { name: 'node:sqlite', open: (file) => new DatabaseSync(file) },
  { name: 'better-sqlite3', open: (file) => new BetterDatabase(file) as unknown as Database },
]

const folder = mkdtempSync(join(tmpdir(), 'govalid-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

for (const library of LIBRARIES) {
  const file = join(folder, `${library.name.replace(':', '-')}.db`)
  const connections = new Map<unknown, Database>()
  const bystander = library.open(file)
  bystander.exec('CREATE TABLE effects (effect TEXT NOT NULL)')

  testStore(
    { describe, test },
    {
      name: `sqliteStore with ${library.name}`,
      open({ namespace }) {
        const database = library.open(file)
        const store = sqliteStore({ database, namespace })
        connections.set(store, database)
        return store
      },
      close(store) {
        connections.get(store)?.close()
        connections.delete(store)
      },
      advance(ms) {
        bystander.exec(`UPDATE govalid_deliveries SET counted_at = counted_at - ${ms}, retain_until = retain_until - ${ms},
          lease_until = iif(lease_until = 0, 0, lease_until - ${ms})`)
      },
      quarantine: true,
      transaction: {
        async commit(store, request, effect, before) {
          // A SQLite transaction is one turn: nothing can be awaited in it.
          await before?.()
          const transact = (store as SqliteStore).transaction(request) as SqliteTransaction
          await transact((tx) => {
            tx.prepare('INSERT INTO effects VALUES (?)').run(effect)
          })
        },
        async count(effect) {
          return bystander.prepare('SELECT 1 FROM effects WHERE effect = ?').all(effect).length
        },
      },
    },
  )
}
