/** The types of createEvent: the result, and the fields that can be overridden. */
import { describe, expectTypeOf, it } from 'vitest'
import type { EventOf } from '../../src/index.js'
import { createEvent } from '../../src/testing/index.js'

describe('createEvent', () => {
  it('returns the event of the given type', () => {
    expectTypeOf(createEvent('qr.scanned')).toEqualTypeOf<EventOf<'qr.scanned'>>()
    expectTypeOf(createEvent('payment.failed').data.amount).toEqualTypeOf<number | null | undefined>()
  })

  it('accepts partial data at any depth', () => {
    createEvent('qr.scanned', { data: { scan_location: { city: 'Bandung' } } })
    createEvent('credit.topup', { data: { balance: 3, anything: { nested: true } } })
  })

  it('refuses unknown fields and wrong types', () => {
    // @ts-expect-error the data has no such field
    createEvent('qr.scanned', { data: { scan_cuont: 2 } })
    // @ts-expect-error scan_count is a number
    createEvent('qr.scanned', { data: { scan_count: '2' } })
    // @ts-expect-error city is a string
    createEvent('qr.scanned', { data: { scan_location: { city: 5 } } })
    // @ts-expect-error the envelope has no such field
    createEvent('qr.scanned', { webhookId: 'wh-001' })
    // @ts-expect-error there is no such event
    createEvent('qr.scand')
  })
})
