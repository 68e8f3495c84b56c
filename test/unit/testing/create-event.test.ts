/** Tests of `createEvent`: an event of every type, and the fields that a test can change. */
import { describe, expect, it } from 'vitest'
import { EVENT_TYPES, type EventType, parseEvent } from '../../../src/index.js'
import { createEvent } from '../../../src/testing/create-event.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { caught } from '../../support/caught.js'

const clock = fixedClock('2025-01-29T12:00:00.750Z')

describe('createEvent', () => {
  it.each(EVENT_TYPES)('creates a %s without shape issues', (type) => {
    const parsed = parseEvent(JSON.stringify(createEvent(type, {}, { clock })))
    expect(parsed).toMatchObject({ known: true, event: { event: type, webhook_id: 'wh-001' }, issues: [] })
    expect(Object.keys((parsed.event as { data: object }).data).length).toBeGreaterThan(3)
  })

  it('creates the qr.scanned of the setup guide', () => {
    expect(createEvent('qr.scanned', {}, { clock })).toEqual({
      event: 'qr.scanned',
      timestamp: '2025-01-29T12:00:00Z',
      webhook_id: 'wh-001',
      data: {
        qr_id: 'abc123',
        qr_title: 'Product Certificate #001',
        scan_location: { country: 'ID', city: 'Jakarta' },
        device: 'mobile',
        platform: 'iOS',
        is_first_scan: false,
        scan_count: 15,
      },
    })
  })

  it('uses its clock in whole seconds for the timestamp and the dates in data', () => {
    expect(createEvent('qr.expired', {}, { clock })).toMatchObject({
      timestamp: '2025-01-29T12:00:00Z',
      data: { expires_at: '2025-01-29T12:00:00Z', created_at: '2025-01-15T12:00:00Z' },
    })
    expect(createEvent('payment.completed', {}, { clock }).data.date).toBe('2025-01-29')
    expect(createEvent('subscription.created', {}, { clock }).data.next_billing_date).toBe('2025-02-28')
  })

  it('uses the time of the machine without a clock', () => {
    const before = Math.floor(Date.now() / 1000) * 1000
    const created = Date.parse(createEvent('qr.created').timestamp)
    expect(created).toBeGreaterThanOrEqual(before)
    expect(created).toBeLessThanOrEqual(Date.now())
  })

  it.each(EVENT_TYPES)('creates equal but separate %s objects every time', (type: EventType) => {
    const [first, second] = [createEvent(type, {}, { clock }), createEvent(type, {}, { clock })]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
    expect(first.data).not.toBe(second.data)
  })

  it('changes only the given fields, at any depth', () => {
    const data = { scan_count: 1, is_first_scan: true, scan_location: { city: 'Bandung' } }
    const event = createEvent('qr.scanned', { data, webhook_id: 'wh-777' }, { clock })
    expect(event).toMatchObject({ webhook_id: 'wh-777', timestamp: '2025-01-29T12:00:00Z' })
    expect(event.data).toMatchObject({ ...data, scan_location: { country: 'ID', city: 'Bandung' }, qr_id: 'abc123' })
  })

  it('keeps null fields and removes undefined fields', () => {
    const { data } = createEvent('qr.scanned', { data: { scan_location: null, device: undefined } }, { clock })
    expect(data.scan_location).toBeNull()
    expect(data).not.toHaveProperty('device')
  })

  it('adds undocumented fields and replaces lists as a whole', () => {
    const { data } = createEvent('counterfeit.detected', { data: { flags: ['far'], score: { value: 3 } } }, { clock })
    expect(data).toMatchObject({ flags: ['far'], score: { value: 3 }, qr_id: 'abc123' })
  })

  it('adds a signature field to the body only if it is given', () => {
    expect(createEvent('qr.removed')).not.toHaveProperty('signature')
    expect(createEvent('qr.removed', { signature: 'sha256=a1b2c3d4...' }).signature).toBe('sha256=a1b2c3d4...')
  })

  it('treats a field named __proto__ like any other field', () => {
    const event = createEvent('qr.created', JSON.parse('{"data":{"__proto__":{"polluted":true}}}'), { clock })
    expect(Object.hasOwn(event.data, '__proto__')).toBe(true)
    expect((event.data as { polluted?: unknown }).polluted).toBeUndefined()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('ignores an event type in the overrides', () => {
    expect(createEvent('qr.created', { event: 'qr.removed' } as object).event).toBe('qr.created')
  })

  it('rejects an unknown type, suggests the nearest type and lists the known types', () => {
    const error = caught(() => createEvent('qr.scand' as 'qr.scanned'))
    expect(error).toMatchObject({ code: 'event_type_unknown' })
    expect((error as Error).message).toMatch(
      /Did you mean "qr\.scanned"\? Known types: .+\. See docs\/reference\/events\.md\./,
    )
  })
})
