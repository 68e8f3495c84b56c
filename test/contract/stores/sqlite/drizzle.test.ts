/** drizzle on the connection of sqliteStore: its writes are part of the handler's transaction. */
import BetterDatabase from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { expect, test } from 'vitest'
import { createReceiver } from '../../../../src/index.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { signDelivery } from '../../../../src/testing/index.js'
import { temporaryFiles } from '../../../support/sqlite.js'

const SECRET = 'your_webhook_secret'
const newFile = temporaryFiles()
const scans = sqliteTable('scans', { qrId: text('qr_id').notNull() })

test('drizzle’s writes, including nested transactions, commit and roll back with the handler', async () => {
  const database = new BetterDatabase(newFile())
  database.exec('CREATE TABLE scans (qr_id TEXT NOT NULL)')
  const db = drizzle({ client: database })
  const receiver = createReceiver({ secret: SECRET, store: sqliteStore({ database }), onError: () => {} }).on(
    'qr.scanned',
    async (_, { attempt, transaction }) => {
      await transaction(() => {
        db.insert(scans)
          .values({ qrId: `outer ${attempt}` })
          .run()
        db.transaction((tx) =>
          tx
            .insert(scans)
            .values({ qrId: `inner ${attempt}` })
            .run(),
        )
        if (attempt === 1) throw new Error('the first attempt fails')
      })
    },
  )
  const payload = { event: 'qr.scanned', timestamp: new Date().toISOString(), data: {} }
  const { delivery } = await signDelivery(payload, { secret: SECRET })
  const statuses = [
    await receiver.receive(delivery),
    await receiver.receive(delivery),
    await receiver.receive(delivery),
  ]
  expect(statuses.map(({ status }) => status)).toEqual(['failed', 'processed', 'duplicate'])
  expect(db.select().from(scans).all()).toEqual([{ qrId: 'outer 2' }, { qrId: 'inner 2' }])
})
