/** Runs the conformance suite on sqliteStore with both libraries, a file on disk, and one connection per store. */
import { describe, test } from 'vitest'
import { type SqliteStore, type SqliteTransaction, sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { type StoreDriver, testStore } from '../../../../src/testing/index.js'
import { receiverSuite } from '../../../support/receiver-suite.js'
import { LIBRARIES, makeLater, rowsOf, type TestDatabase, temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()

for (const [library, open] of Object.entries(LIBRARIES)) {
  const file = newFile()
  const connections = new Map<unknown, TestDatabase>()
  const bystander = open(file)
  bystander.exec('CREATE TABLE effects (effect TEXT NOT NULL)')

  const driver: StoreDriver = {
    name: `sqliteStore with ${library}`,
    open({ namespace }) {
      const database = open(file)
      const store = sqliteStore({ database, namespace })
      connections.set(store, database)
      return store
    },
    close(store) {
      connections.get(store)?.close()
      connections.delete(store)
    },
    advance(ms) {
      makeLater(bystander, ms)
    },
    quarantine: true,
    transaction: {
      async commit(store, request, effect, before) {
        // A SQLite transaction is synchronous, so nothing can be awaited inside it.
        await before?.()
        const transact = (store as SqliteStore).transaction(request) as SqliteTransaction
        await transact((tx) => {
          tx.prepare('INSERT INTO effects VALUES (?)').run(effect)
        })
      },
      async count(effect) {
        return rowsOf(bystander, `SELECT 1 FROM effects WHERE effect = '${effect}'`).length
      },
    },
  }
  testStore({ describe, test }, driver)
  receiverSuite(driver)
}
