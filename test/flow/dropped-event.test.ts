/** The report of an event that can't be processed and has no quarantine. */
import { expect, test } from 'vitest'
import { createReceiver, type ErrorReport } from '../../src/index.js'
import { signDelivery } from '../../src/testing/index.js'

test('an event that is dropped without a quarantine is reported with the reason', async () => {
  const reports: ErrorReport[] = []
  const receiver = createReceiver({ secret: 'a secret', onError: (report) => void reports.push(report) })
  const old = { event: 'qr.scanned', timestamp: '2025-01-29T12:00:00Z', webhook_id: 'wh-001', data: {} }
  const { delivery } = await signDelivery(old, { secret: 'a secret' })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'quarantined', code: 'stale' })
  expect(reports).toMatchObject([{ code: 'event_dropped', eventType: 'qr.scanned' }])
  expect(reports[0]?.message).toMatch(/^stale: /)
})
