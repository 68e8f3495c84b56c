/** The types of a handler's event and context, which follow from the event names, the schemas and the store. */
import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import {
  createReceiver,
  type DeliveryContext,
  type EventNamespace,
  type EventOf,
  type EventType,
  type GoValidEvent,
  memoryStore,
  type OpenData,
  type Outcome,
  type QrData,
  type QrScannedData,
  type StandardSchema,
  type Store,
  type UnknownEvent,
} from '../../src/index.js'

const receiver = createReceiver({ secret: 'a secret' })

describe('the type of an event follows from the registered names', () => {
  test('one name', () => {
    receiver.on('qr.scanned', (event) => {
      expectTypeOf(event).toEqualTypeOf<EventOf<'qr.scanned'>>()
      expectTypeOf(event.data).toEqualTypeOf<QrScannedData>()
      expectTypeOf(event.data.scan_count).toEqualTypeOf<number>()
      expectTypeOf(event.data.scan_location?.city).toEqualTypeOf<string | null | undefined>()
    })
  })

  test('several names', () => {
    receiver.on(['qr.created', 'credit.topup'], (event) => {
      expectTypeOf(event).toEqualTypeOf<EventOf<'qr.created' | 'credit.topup'>>()
      if (event.event === 'qr.created') expectTypeOf(event.data).toEqualTypeOf<QrData>()
    })
  })

  test('a namespace', () => {
    receiver.on('qr.*', (event) => {
      expectTypeOf(event.event).toEqualTypeOf<
        'qr.created' | 'qr.scanned' | 'qr.expired' | 'qr.removed' | 'qr.transferred'
      >()
      if (event.event === 'qr.scanned') expectTypeOf(event.data).toEqualTypeOf<QrScannedData>()
      else expectTypeOf(event.data).toEqualTypeOf<QrData>()
    })
    receiver.on('institution.*', (event) => expectTypeOf(event.event).toEqualTypeOf<'institution.staff.invited'>())
    receiver.on(['payment.*', 'credit.topup'], (event) =>
      expectTypeOf(event.event).toEqualTypeOf<'payment.completed' | 'payment.failed' | 'credit.topup'>(),
    )
    expectTypeOf<EventNamespace>().toEqualTypeOf<
      'qr.*' | 'subscription.*' | 'payment.*' | 'credit.*' | 'counterfeit.*' | 'institution.*' | 'institution.staff.*'
    >()
  })

  test('every known event', () => {
    receiver.on('*', (event) => {
      expectTypeOf(event).toEqualTypeOf<GoValidEvent>()
      switch (event.event) {
        case 'qr.scanned':
          return expectTypeOf(event.data).toEqualTypeOf<QrScannedData>()
        case 'counterfeit.detected':
          return expectTypeOf(event.data).toEqualTypeOf<OpenData>()
        default:
          return undefined
      }
    })
  })

  test('unknown events', () => {
    receiver.onUnknown((event) => {
      expectTypeOf(event).toEqualTypeOf<UnknownEvent>()
      expectTypeOf(event['anything']).toEqualTypeOf<unknown>()
    })
  })
})

describe('a type error prevents', () => {
  test('reading an unknown field', () => {
    // @ts-expect-error the data has no such field
    receiver.on('qr.scanned', (event) => event.data.nonsense)
    // @ts-expect-error the envelope has no such field
    receiver.on('qr.scanned', (event) => event.nonsense)
  })

  test('registering an unknown name', () => {
    // @ts-expect-error a misspelled event
    receiver.on('qr.scaned', () => {})
    // @ts-expect-error an unknown namespace
    receiver.on('qrs.*', () => {})
    // @ts-expect-error one of the names is unknown
    receiver.on(['qr.scanned', 'qr.nope'], () => {})
  })

  test('changing an event', () => {
    receiver.on('qr.scanned', (event) => {
      // @ts-expect-error events are read-only, because several handlers share them
      event.webhook_id = 'other'
    })
  })
})

test('UnknownEvent isn’t part of GoValidEvent, because it would break narrowing', () => {
  expectTypeOf<GoValidEvent['event']>().toEqualTypeOf<EventType>()
  expectTypeOf<Extract<GoValidEvent, { event: 'qr.scanned' }>['data']>().toEqualTypeOf<QrScannedData>()
})

describe('the output of a schema reaches the handler', () => {
  test('with zod', () => {
    const schema = z.object({ qr_id: z.string() }).transform(({ qr_id }) => ({ id: qr_id, at: new Date() }))
    createReceiver({ secret: 'a secret', schemas: { 'qr.scanned': schema } })
      .on('qr.scanned', (event) => {
        expectTypeOf(event.data).toEqualTypeOf<{ id: string; at: Date }>()
        expectTypeOf(event.event).toEqualTypeOf<'qr.scanned'>()
        expectTypeOf(event.timestamp).toEqualTypeOf<string>()
        // @ts-expect-error the schema removed this field
        event.data.scan_count
      })
      .on('qr.created', (event) => expectTypeOf(event.data).toEqualTypeOf<QrData>())
      .on('qr.*', (event) => {
        if (event.event === 'qr.scanned') expectTypeOf(event.data.at).toEqualTypeOf<Date>()
      })
  })

  test('with a hand-written schema', () => {
    const schema: StandardSchema<unknown, { readonly total: bigint }> = {
      '~standard': { version: 1, vendor: 'example', validate: () => ({ value: { total: 1n } }) },
    }
    createReceiver({ secret: 'a secret', schemas: { 'payment.completed': schema } }).on('payment.completed', (event) =>
      expectTypeOf(event.data.total).toEqualTypeOf<bigint>(),
    )
  })

  test('for known events only', () => {
    // @ts-expect-error this object isn't a Standard Schema
    createReceiver({ secret: 'a secret', schemas: { 'qr.scanned': { parse: () => ({}) } } })
  })
})

describe('the context', () => {
  test('has no transaction without a transactional store', () => {
    receiver.on('qr.scanned', (_, context) => {
      expectTypeOf(context).toExtend<DeliveryContext>()
      // @ts-expect-error memoryStore has no transactions
      context.transaction
    })
    createReceiver({ secret: 'a secret', store: false }).on('*', (_, context) => {
      // @ts-expect-error there is no transaction without a store
      context.transaction
    })
    createReceiver({ secret: 'a secret', store: memoryStore() }).on('*', (_, context) => {
      // @ts-expect-error memoryStore has no transactions
      context.transaction
    })
  })

  test('has the transaction of its store', () => {
    type Transact = <T>(run: (client: { query(sql: string): Promise<number> }) => Promise<T>) => Promise<T>
    const store = {} as Store<Transact>
    createReceiver({ secret: 'a secret', store })
      .on('qr.scanned', async (_, { transaction }) => {
        expectTypeOf(transaction).toEqualTypeOf<Transact>()
        expectTypeOf(await transaction(async (client) => client.query('SELECT 1'))).toEqualTypeOf<number>()
      })
      .onUnknown((_, { transaction }) => expectTypeOf(transaction).toEqualTypeOf<Transact>())
  })

  test('describes the delivery', () => {
    receiver.on('*', (_, { attempt, redelivery, rawBody, signal, idempotencyKey, receivedAt }) => {
      expectTypeOf(attempt).toEqualTypeOf<number>()
      expectTypeOf(redelivery).toEqualTypeOf<boolean>()
      expectTypeOf(rawBody).toEqualTypeOf<Uint8Array>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(idempotencyKey).toEqualTypeOf<string>()
      expectTypeOf(receivedAt).toEqualTypeOf<number>()
    })
  })
})

describe('an outcome', () => {
  test('narrows by its status', () => {
    const show = (outcome: Outcome) => {
      switch (outcome.status) {
        case 'failed':
          return expectTypeOf(outcome.error).toEqualTypeOf<unknown>()
        case 'refused':
          return expectTypeOf(outcome.code).toExtend<string>()
        case 'processed':
          // @ts-expect-error a success has no code
          return outcome.code
        default:
          return expectTypeOf(outcome.idempotencyKey).toEqualTypeOf<string | undefined>()
      }
    }
    expectTypeOf(show).parameter(0).toEqualTypeOf<Outcome>()
  })
})
