/** What may be changed of an event, by its type. */
import { describe, expectTypeOf, it } from 'vitest'
import type { EventOf } from '../../src/index.js'
import { createEvent } from '../../src/testing/index.js'

describe('createEvent', () => {
  it('gives the event of its type', () => {
    expectTypeOf(createEvent('qr.scanned')).toEqualTypeOf<EventOf<'qr.scanned'>>()
    expectTypeOf(createEvent('payment.failed').data.amount).toEqualTypeOf<number | null | undefined>()
  })

  it('takes parts of its data, at any depth', () => {
    createEvent('qr.scanned', { data: { scan_location: { city: 'Bandung' } } })
    createEvent('credit.topup', { data: { balance: 3, anything: { else: true } } })
  })

  it('refuses what the event does not have, or has otherwise', () => {
    // @ts-expect-error there is no such member
    createEvent('qr.scanned', { data: { scan_cuont: 2 } })
    // @ts-expect-error a count is a number
    createEvent('qr.scanned', { data: { scan_count: '2' } })
    // @ts-expect-error a city is a text
    createEvent('qr.scanned', { data: { scan_location: { city: 5 } } })
    // @ts-expect-error the envelope has no such member
    createEvent('qr.scanned', { webhookId: 'wh-001' })
    // @ts-expect-error there is no such event
    createEvent('qr.scand')
  })
})
