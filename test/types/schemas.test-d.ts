/** The hand-written event interfaces and the zod schemas say the same, member by member. */
import { describe, expectTypeOf, test } from 'vitest'
import type * as z from 'zod'
import type * as schemas from '../../src/events/schemas.js'
import type {
  CreditData,
  Envelope,
  EventOf,
  EventType,
  GoValidEvent,
  OpenData,
  PaymentData,
  QrData,
  QrScannedData,
  ScanLocation,
  SubscriptionData,
} from '../../src/index.js'

/**
 * A type without `readonly` (zod's outputs have none) and without index signatures (a loose schema has one everywhere, an interface
 * only where GoValid documents nothing, so that `event.data.nonsense` is an error): what is left must be equal.
 */
type Fields<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { -readonly [Key in keyof T as string extends Key ? never : Key]: Fields<T[Key]> }
    : T

type Output<Schema extends z.ZodType> = Fields<z.output<Schema>>
type Input<Schema extends z.ZodType> = Fields<z.input<Schema>>

describe('a schema puts out what the interface says, and takes nothing else', () => {
  test('of every event', () => {
    type Outputs = { [Type in EventType]: Output<(typeof schemas.eventSchemas)[Type]> }
    type Inputs = { [Type in EventType]: Input<(typeof schemas.eventSchemas)[Type]> }
    type Interfaces = { [Type in EventType]: Fields<EventOf<Type>> }
    expectTypeOf<Outputs>().toEqualTypeOf<Interfaces>()
    expectTypeOf<Inputs>().toEqualTypeOf<Interfaces>()
    expectTypeOf<keyof typeof schemas.eventSchemas>().toEqualTypeOf<EventType>()
  })

  test('of the union, which narrows by its event', () => {
    expectTypeOf<Output<typeof schemas.eventSchema>>().toEqualTypeOf<Fields<GoValidEvent>>()
    type Scanned = Extract<z.output<typeof schemas.eventSchema>, { event: 'qr.scanned' }>
    expectTypeOf<Scanned['data']['scan_count']>().toEqualTypeOf<number>()
  })

  test('of the envelope and of every kind of data', () => {
    expectTypeOf<Output<typeof schemas.envelopeSchema>>().toEqualTypeOf<Fields<Envelope<string, OpenData>>>()
    expectTypeOf<Output<typeof schemas.scanLocationSchema>>().toEqualTypeOf<Fields<ScanLocation>>()
    expectTypeOf<Output<typeof schemas.qrScannedDataSchema>>().toEqualTypeOf<Fields<QrScannedData>>()
    expectTypeOf<Output<typeof schemas.qrDataSchema>>().toEqualTypeOf<Fields<QrData>>()
    expectTypeOf<Output<typeof schemas.subscriptionDataSchema>>().toEqualTypeOf<Fields<SubscriptionData>>()
    expectTypeOf<Output<typeof schemas.paymentDataSchema>>().toEqualTypeOf<Fields<PaymentData>>()
    expectTypeOf<Output<typeof schemas.creditDataSchema>>().toEqualTypeOf<Fields<CreditData>>()
    expectTypeOf<Output<typeof schemas.openDataSchema>>().toEqualTypeOf<Fields<OpenData>>()
  })
})

test('what a schema puts out is an event, without a cast', () => {
  expectTypeOf<z.output<typeof schemas.eventSchema>>().toExtend<GoValidEvent>()
  expectTypeOf<z.output<typeof schemas.qrScannedSchema>>().toExtend<EventOf<'qr.scanned'>>()
  expectTypeOf<z.output<typeof schemas.creditDataSchema>>().toExtend<CreditData>()
})

test('data that nobody documents is open in the interface too', () => {
  expectTypeOf<OpenData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<QrData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<SubscriptionData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<PaymentData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<CreditData['anything']>().toEqualTypeOf<unknown>()
})
