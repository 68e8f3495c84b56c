/** A burst of deliveries over sqliteStore and sqliteInbox. */
import { DatabaseSync } from 'node:sqlite'
import { sqliteInbox } from '../../../../src/inboxes/sqlite/sqlite-inbox.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { burstSuite } from '../../../support/burst-suite.js'
import { temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()

burstSuite('sqliteStore', (clock) => ({
  store: sqliteStore({ database: new DatabaseSync(newFile()), clock }) as never,
}))

burstSuite('sqliteInbox', (clock) => {
  const file = newFile()
  return {
    store: sqliteStore({ database: new DatabaseSync(file), clock }) as never,
    inbox: sqliteInbox({ database: new DatabaseSync(file), clock, concurrency: 100 }),
  }
})
