/** Tests the function without AWS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvent, signDelivery } from 'govalid-webhooks/testing'
import { handler } from './handler.ts'

test('a scan is processed', async () => {
  const secret = 'a secret for tests'
  process.env.GOVALID_WEBHOOK_SECRET = secret
  const { headers, rawBody } = await signDelivery(createEvent('qr.scanned'), { secret })
  const requestContext = { http: { method: 'POST', path: '/webhooks/govalid' } }
  const body = Buffer.from(rawBody).toString('base64')
  const response = await handler({ requestContext, headers, body, isBase64Encoded: true })
  assert.equal(response.body, '{"status":"processed"}')
})
