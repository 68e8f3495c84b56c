/** The types of the D1 store: a handler has a transaction, whose function adds statements synchronously. */
import { expectTypeOf, test } from 'vitest'
import { createReceiver, memoryStore } from '../../src/index.js'
import { type D1DatabaseBinding, type D1StatementResult, d1Store } from '../../src/stores/cloudflare/d1-store.js'

declare const database: D1DatabaseBinding
const secret = 'a secret'

test('a handler has a transaction that resolves to the results of its statements', () => {
  createReceiver({ secret, store: d1Store({ database }) }).on('qr.scanned', async (event, { transaction }) => {
    const insert = database.prepare('INSERT INTO scans (qr_id) VALUES (?1)').bind(event.data.qr_id)
    const results = await transaction((tx) => tx.add(insert))
    expectTypeOf(results).toEqualTypeOf<readonly D1StatementResult[]>()
    await transaction((tx) => {
      tx.add(insert, insert)
    })
  })
})

test('a transaction refuses an async function', () => {
  createReceiver({ secret, store: d1Store({ database }) }).on('qr.scanned', async (_, { transaction }) => {
    // @ts-expect-error: a statement that is added after an await would be missing from the batch
    await transaction(async (tx) => tx.add(database.prepare('')))
  })
})

test('a handler has no transaction without a transactional store', () => {
  createReceiver({ secret, store: memoryStore() }).on('qr.scanned', (_, context) => {
    // @ts-expect-error: memoryStore has no transactions
    return context.transaction
  })
})
