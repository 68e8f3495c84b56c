/** `context.transaction` with a query builder: drizzle on the transaction's connection, as in docs/concepts/guarantees.md. */
import { drizzle } from 'drizzle-orm/node-postgres'
import { pgSchema, text } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { createReceiver, type Handler, type Outcome } from '../../../src/index.js'
import { type PostgresTransaction, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

const SECRET = 'your_webhook_secret'

describeWithService('postgres', 'drizzle inside a transaction of postgresStore', (url) => {
  const scene = postgresScene(url)
  const effects = pgSchema(scene.schema).table('effects', { effect: text('effect').notNull() })

  async function receive(handle: Handler<unknown, PostgresTransaction>, attempts: number) {
    const store = postgresStore({ pool: scene.pool(), table: scene.table })
    const receiver = createReceiver({ secret: SECRET, store, onError: () => {} }).on('qr.created', handle)
    const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { nonce: crypto.randomUUID() } }
    const { delivery } = await signDelivery(payload, { secret: SECRET })
    const outcomes: Outcome[] = []
    for (let attempt = 1; attempt <= attempts; attempt++) outcomes.push(await receiver.receive(delivery))
    return outcomes
  }

  test('commits once with the checkpoint, even if the handler fails afterwards', async () => {
    const effect = crypto.randomUUID()
    const outcomes = await receive(async (_, { transaction }) => {
      await transaction(async (tx) => {
        await drizzle(tx).insert(effects).values({ effect })
      })
      throw new Error('after the commit')
    }, 2)
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'processed'])
    expect(await scene.countEffects(effect)).toBe(1)
  })

  test('rolls back with the checkpoint', async () => {
    const effect = crypto.randomUUID()
    const outcomes = await receive(async (_, { transaction, attempt }) => {
      await transaction(async (tx) => {
        await drizzle(tx).insert(effects).values({ effect })
        if (attempt === 1) throw new Error('within the transaction')
      })
    }, 2)
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'processed'])
    expect(await scene.countEffects(effect)).toBe(1)
  })

  test('fails with transaction_ended if its own transaction() commits', async () => {
    const [outcome] = await receive(async (_, { transaction }) => {
      await transaction(async (tx) => {
        await drizzle(tx).transaction(async (inner) => {
          await inner.insert(effects).values({ effect: crypto.randomUUID() })
        })
      })
    }, 1)
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'transaction_ended' } })
  })
})
