/** Tests a receiver in workerd with and without `nodejs_compat`, which the test runner enables. */
import { expect, it, vi } from 'vitest'
import { createReceiver } from '../../../src/index.js'
import { describeReceiving, request, SECRET, scan } from '../receiving.js'

describeReceiving('in workerd without node:crypto', true)
describeReceiving('in workerd with nodejs_compat', false)

it('verifies with WebCrypto even if node:crypto is available', async () => {
  expect(process.getBuiltinModule('node:crypto').createHmac).toBeTypeOf('function')
  const verify = vi.spyOn(crypto.subtle, 'verify')
  const { method, headers, body } = await request(scan())
  const receiver = createReceiver({ secret: SECRET }).on('qr.scanned', () => {})
  const outcome = await receiver.receive({ method, header: (name) => headers.get(name) ?? undefined, body })
  expect(outcome.status).toBe('processed')
  expect(verify).toHaveBeenCalledTimes(1)
})
