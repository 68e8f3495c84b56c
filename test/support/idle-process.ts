/** A process that processes one delivery with sqliteInbox and then has nothing to do. It never closes anything. */
import { DatabaseSync } from 'node:sqlite'
import { sqliteInbox } from '../../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver } from '../../src/index.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'
import { signDelivery } from '../../src/testing/index.js'

const [, , file = '', keepAlive] = process.argv
const secret = 'your_webhook_secret'
const receiver = createReceiver({
  secret,
  store: sqliteStore({ database: new DatabaseSync(file) }),
  inbox: sqliteInbox({ database: new DatabaseSync(file), keepAlive: keepAlive === 'keepAlive' }),
}).on('qr.created', () => console.log('processed'))
const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: {} }
await receiver.receive((await signDelivery(payload, { secret })).delivery)
