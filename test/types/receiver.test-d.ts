/** The types of a receiver that is passed on, and of a store that is chosen at run time. */
import type { Pool } from 'pg'
import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import { toHandler as toCloudflareHandler } from '../../src/adapters/cloudflare.js'
import { toHandler as toExpressHandler } from '../../src/adapters/express.js'
import { createReceiver, type DeliveryContext, memoryStore, type Receiver, type Store } from '../../src/index.js'
import type { DurableObjectStore } from '../../src/stores/cloudflare/durable-object-store.js'
import {
  type PostgresStore,
  type PostgresTransaction,
  postgresStore,
} from '../../src/stores/postgres/postgres-store.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'

declare const pool: Pool
declare const isProduction: boolean
const secret = 'a secret'
const store = postgresStore({ pool })
const schemas = { 'qr.scanned': z.object({ qr_id: z.string() }).transform(({ qr_id }) => ({ id: qr_id })) }

const receivers = {
  simple: createReceiver({ secret }),
  withoutStore: createReceiver({ secret, store: false }),
  transactional: createReceiver({ secret, store }),
  withSchemas: createReceiver({ secret, schemas }),
  withBoth: createReceiver({ secret, store, schemas }).on('qr.scanned', () => {}),
  chosen: createReceiver({ secret, store: isProduction ? store : memoryStore() }),
  missing: createReceiver({ secret, store: undefined }),
  wrapped: createReceiver({ secret, store: { ...store, claim: (request) => store.claim(request) } }),
}

describe('a Receiver without type arguments', () => {
  test('accepts every receiver as a parameter, a field and an element', () => {
    class Webhooks {
      readonly receiver: Receiver
      constructor(receiver: Receiver) {
        this.receiver = receiver
      }
    }
    const all: readonly Receiver[] = Object.values(receivers)
    for (const receiver of all) new Webhooks(receiver)
    new Webhooks(receivers.withBoth)
    const record: Readonly<Record<string, Receiver>> = receivers
    expectTypeOf(record['simple']).toEqualTypeOf<Receiver | undefined>()
    toExpressHandler(receivers.withBoth)
    toCloudflareHandler(() => receivers.withBoth)
  })

  test('registers handlers with the documented event types', () => {
    const register = (receiver: Receiver) =>
      receiver
        .on('qr.scanned', (event, context) => {
          expectTypeOf(event.data.qr_id).toEqualTypeOf<string>()
          expectTypeOf(context).toEqualTypeOf<DeliveryContext>()
          // @ts-expect-error the data has no such field
          event.data.nonsense
          // @ts-expect-error the receiver may have a store without transactions
          context.transaction
        })
        .on('*', (event) => expectTypeOf(event.webhook_id).not.toBeAny())
    register(receivers.transactional)
  })

  test('refuses anything that is not a receiver', () => {
    // @ts-expect-error the other methods are missing
    const wrong: Receiver = { receive: receivers.simple.receive }
    void wrong
  })

  test('fits a function that reprocesses the quarantine of any store', async () => {
    const reprocessAll = async ({ quarantine }: Pick<PostgresStore, 'quarantine'>, receiver: Receiver) => {
      for (const entry of await quarantine.list()) await receiver.reprocess(entry)
    }
    await reprocessAll(store, receivers.transactional)
    await reprocessAll(store, createReceiver({ secret, store, schemas }))
    await reprocessAll({} as DurableObjectStore, receivers.simple)
  })
})

describe('a store that is chosen at run time', () => {
  type Transaction = PostgresTransaction

  test('makes context.transaction optional', () => {
    receivers.chosen.on('qr.scanned', async (_, context) => {
      expectTypeOf(context.transaction).toEqualTypeOf<Transaction | undefined>()
      // @ts-expect-error memoryStore has no transactions
      await context.transaction(async (client) => client.query('SELECT 1'))
      await context.transaction?.(async (client) => client.query('SELECT 1'))
    })
    createReceiver({ secret, store: isProduction ? store : undefined }).on('*', (_, context) => {
      expectTypeOf(context.transaction).toEqualTypeOf<Transaction | undefined>()
    })
    createReceiver({ secret, store: isProduction ? store : false }).on('*', (_, context) => {
      expectTypeOf(context.transaction).toEqualTypeOf<Transaction | undefined>()
    })
  })

  test('may be an optional property, or a variable that includes undefined', () => {
    const create = (
      { store: optional }: { readonly store?: typeof store },
      other: typeof store | false | undefined,
    ) => {
      for (const receiver of [createReceiver({ secret, store: optional }), createReceiver({ secret, store: other })]) {
        receiver.on('*', (_, context) => {
          expectTypeOf(context.transaction).toEqualTypeOf<Transaction | undefined>()
        })
      }
    }
    const createWithout = (any: Store | false | undefined) =>
      createReceiver({ secret, store: any }).on('*', (_, context) => {
        // @ts-expect-error no choice has transactions
        context.transaction
      })
    void [create, createWithout]
  })

  test('leaves context.transaction required if every choice has transactions', () => {
    const other = {} as Store<Transaction>
    createReceiver({ secret, store: isProduction ? store : other }).on('*', (_, { transaction }) => {
      expectTypeOf(transaction).toEqualTypeOf<Transaction>()
    })
  })

  test('leaves no context.transaction if no choice has transactions', () => {
    createReceiver({ secret, store: isProduction ? memoryStore() : false }).on('*', (_, context) => {
      // @ts-expect-error neither choice has transactions
      context.transaction
    })
    const own = { claim: memoryStore().claim, renew: () => true, complete: () => true, release: () => true }
    createReceiver({ secret, store: own }).on('*', (_, context) => {
      // @ts-expect-error a store of the application without transactions
      context.transaction
    })
  })

  test('can have the transaction of either store', () => {
    const database = {} as import('node:sqlite').DatabaseSync
    const either = isProduction ? store : sqliteStore({ database })
    createReceiver({ secret, store: either }).on('*', (_, { transaction }) => {
      expectTypeOf(transaction).not.toBeUndefined()
    })
  })
})
