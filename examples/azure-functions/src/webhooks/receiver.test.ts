/** Tests the receiver without a server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvent, signDelivery } from 'govalid-webhooks/testing'
import { receiver } from './receiver.js'

test('a scan is processed', async () => {
  const secret = 'a secret for tests'
  process.env.GOVALID_WEBHOOK_SECRET = secret
  const signed = await signDelivery(createEvent('qr.scanned'), { secret })
  const outcome = await receiver.receive(signed.delivery)
  assert.equal(outcome.status, 'processed')
})
