/** A quarantine that never accepts a delivery: the delivery must not be recorded as finished. */
import { expect, test } from 'vitest'
import { createReceiver, PermanentError } from '../../src/index.js'
import { fixedClock, signDelivery } from '../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const HOUR_MS = 3_600_000

test('a delivery that the quarantine never accepted is processed again, not called a duplicate', async () => {
  const clock = fixedClock('2025-01-29T12:00:00Z')
  let runs = 0
  const receiver = createReceiver({
    secret: SECRET,
    clock,
    onError: () => {},
    quarantine: () => Promise.reject(new Error('the disk is full')),
  }).on('qr.created', async () => {
    runs++
    if (runs > 1) return
    await new Promise<void>((resolve) => void clock.setTimer(10_000, resolve))
    throw new PermanentError('never will')
  })
  const payload = { event: 'qr.created', timestamp: '2025-01-29T12:00:00Z', webhook_id: 'wh-001', data: {} }
  const { delivery } = await signDelivery(payload, { secret: SECRET })
  const response = receiver.receive(delivery)
  await clock.advance(4500)
  expect(await response).toMatchObject({ status: 'unfinished' })
  await clock.advance(HOUR_MS)
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'unavailable' })
  await clock.advance(2 * HOUR_MS)
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed' })
  expect(runs).toBe(2)
})
