/**
 * The time of a receiver's first delivery. Without a quarantine, only an event that is older than it can be on its last attempt before the
 * store has counted five.
 */
import { expect, test } from 'vitest'
import { EVENT_TIME, eventOf, scannedEvent } from '../support/payloads.js'
import { MINUTE, receiving } from '../support/receiving.js'

test.each([
  { kind: 'synchronous', wrap: (fn: () => void): (() => unknown) => fn },
  {
    kind: 'asynchronous',
    wrap:
      (fn: () => void): (() => unknown) =>
      async () =>
        fn(),
  },
])('a delivery that a $kind handler processed counts as the first delivery', async ({ wrap }) => {
  let isDown = false
  const { clock, receiver, attempt, reports } = receiving()
  receiver.on(
    'qr.scanned',
    wrap(() => {
      if (isDown) throw new Error('no database')
    }),
  )
  expect((await attempt()).outcome.status).toBe('processed')
  await clock.advance(120 * MINUTE)
  isDown = true
  // GoValid delivers this event 50 minutes late. Its first attempt isn't the last, and the event isn't older than the receiver.
  const timestamp = new Date(Date.parse(EVENT_TIME) + 70 * MINUTE).toISOString()
  expect((await attempt(scannedEvent({ timestamp }))).outcome).toMatchObject({ status: 'failed', attempt: 1 })
  expect(reports.map(({ code }) => code)).toEqual(['handler_failed'])
})

test('a delivery that no handler wants counts as the first delivery', async () => {
  const { clock, receiver, attempt } = receiving()
  receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
  expect((await attempt(eventOf('qr.created'))).outcome.status).toBe('ignored')
  await clock.advance(120 * MINUTE)
  const timestamp = new Date(Date.parse(EVENT_TIME) + 70 * MINUTE).toISOString()
  expect((await attempt(scannedEvent({ timestamp }))).outcome).toMatchObject({ status: 'failed', attempt: 1 })
})
