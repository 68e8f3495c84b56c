/** `context.transaction` with Kysely: its driver calls `release()` after every query, in the middle of the transaction. */
import { Kysely, PostgresDialect } from 'kysely'
import type { PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { createReceiver, type Handler, type Outcome } from '../../../src/index.js'
import { type PostgresTransaction, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

const SECRET = 'your_webhook_secret'

interface Database {
  effects: { effect: string }
}

/** As in docs/stores/postgres.md. */
function kyselyOn(tx: PoolClient, schema: string): Kysely<Database> {
  const pool = { connect: async () => tx, end: async () => {} }
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }).withSchema(schema)
}

describeWithService('postgres', 'Kysely inside a transaction of postgresStore', (url) => {
  const scene = postgresScene(url)

  const open = () => postgresStore({ pool: scene.pool(), table: scene.table })

  async function receive(
    handle: Handler<unknown, PostgresTransaction>,
    attempts: number,
    store = open(),
  ): Promise<Outcome[]> {
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
        await kyselyOn(tx, scene.schema).insertInto('effects').values({ effect }).execute()
      })
      throw new Error('after the commit')
    }, 2)
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'processed'])
    expect(await scene.countEffects(effect)).toBe(1)
  })

  test('commits nothing of 20 concurrent attempts that fail within the transaction', async () => {
    const effects = Array.from({ length: 20 }, () => crypto.randomUUID())
    const store = open()
    const runs = effects.map((effect) =>
      receive(
        async (_, { transaction }) => {
          await transaction(async (tx) => {
            const db = kyselyOn(tx, scene.schema)
            await db.insertInto('effects').values({ effect }).execute()
            await db.selectFrom('effects').selectAll().where('effect', '=', effect).execute()
            throw new Error('within the transaction')
          })
        },
        1,
        store,
      ),
    )
    expect((await Promise.all(runs)).flat().map(({ status }) => status)).toEqual(effects.map(() => 'failed'))
    const counts = await Promise.all(effects.map((effect) => scene.countEffects(effect)))
    expect(counts).toEqual(effects.map(() => 0))
  })

  test('fails with transaction_ended before anything is written if it begins its own transaction', async () => {
    const effect = crypto.randomUUID()
    const [outcome] = await receive(async (_, { transaction }) => {
      await transaction(async (tx) => {
        await kyselyOn(tx, scene.schema)
          .transaction()
          .execute((inner) => inner.insertInto('effects').values({ effect }).execute())
      })
    }, 1)
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'transaction_ended' } })
    expect(await scene.countEffects(effect)).toBe(0)
  })
})
