/** The hand-written event interfaces and the zod schemas have equal types, field by field. */
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
 * A type without `readonly` and without index signatures. zod's outputs have no `readonly`, and every loose schema has an index signature.
 * An interface has one only where GoValid documents nothing, so that `event.data.nonsense` is an error.
 */
type Fields<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { -readonly [Key in keyof T as string extends Key ? never : Key]: Fields<T[Key]> }
    : T

type Output<Schema extends z.ZodType> = Fields<z.output<Schema>>
type Input<Schema extends z.ZodType> = Fields<z.input<Schema>>

describe('the input and output of a schema equal the interface', () => {
  test('for every event', () => {
    type Outputs = { [Type in EventType]: Output<(typeof schemas.eventSchemas)[Type]> }
    type Inputs = { [Type in EventType]: Input<(typeof schemas.eventSchemas)[Type]> }
    type Interfaces = { [Type in EventType]: Fields<EventOf<Type>> }
    expectTypeOf<Outputs>().toEqualTypeOf<Interfaces>()
    expectTypeOf<Inputs>().toEqualTypeOf<Interfaces>()
    expectTypeOf<keyof typeof schemas.eventSchemas>().toEqualTypeOf<EventType>()
  })

  test('for the union, which narrows by its event', () => {
    expectTypeOf<Output<typeof schemas.eventSchema>>().toEqualTypeOf<Fields<GoValidEvent>>()
    type Scanned = Extract<z.output<typeof schemas.eventSchema>, { event: 'qr.scanned' }>
    expectTypeOf<Scanned['data']['scan_count']>().toEqualTypeOf<number>()
  })

  test('for the envelope and every kind of data', () => {
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

test('the output of a schema is an event without a cast', () => {
  expectTypeOf<z.output<typeof schemas.eventSchema>>().toExtend<GoValidEvent>()
  expectTypeOf<z.output<typeof schemas.qrScannedSchema>>().toExtend<EventOf<'qr.scanned'>>()
  expectTypeOf<z.output<typeof schemas.creditDataSchema>>().toExtend<CreditData>()
})

test('undocumented data is open in the interfaces', () => {
  expectTypeOf<OpenData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<QrData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<SubscriptionData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<PaymentData['anything']>().toEqualTypeOf<unknown>()
  expectTypeOf<CreditData['anything']>().toEqualTypeOf<unknown>()
})
