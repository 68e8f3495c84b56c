/** Tests of `signDelivery`. */
import { createHmac } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { createReceiver } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { scannedEvent } from '../../support/payloads.js'
import { readVectors, skipNote } from '../../vectors/published.js'

const SECRET = 'your_webhook_secret'
const macOf = (bytes: Uint8Array, secret: string | Uint8Array = SECRET) =>
  `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`

describe('signDelivery signs', () => {
  it.each<[string, object | string | Uint8Array, string]>([
    ['an object as compact JSON', { event: 'qr.scanned', data: { a: 1 } }, '{"event":"qr.scanned","data":{"a":1}}'],
    ['text unchanged', '{ "event": "é" }', '{ "event": "é" }'],
    ['bytes unchanged', new Uint8Array([0x7b, 0x7d]), '{}'],
  ])('%s', async (_, payload, text) => {
    const { rawBody, signature, headers } = await signDelivery(payload, { secret: SECRET })
    expect(new TextDecoder().decode(rawBody)).toBe(text)
    expect(signature).toBe(macOf(rawBody))
    expect(headers).toEqual({ 'content-type': 'application/json', 'x-govalid-signature': signature })
  })

  test('with a secret of bytes', async () => {
    const secret = new Uint8Array([0, 1, 255])
    const { rawBody, signature } = await signDelivery('{}', { secret })
    expect(signature).toBe(macOf(rawBody, secret))
  })

  test('the payload of the setup guide like the verifier in GoValid’s documentation', async () => {
    const { signature } = await signDelivery(scannedEvent(), { secret: SECRET })
    expect(signature).toBe('sha256=61c5cf369c28d618b01e7e02166861b795fa290fba0f4541f5bf1310f941cb88')
  })
})

test('a receiver accepts the signed delivery, and the request has the same body and signature', async () => {
  const receiver = createReceiver({ secret: SECRET, maxAgeMs: false }).on('qr.scanned', () => {})
  const { delivery, request, rawBody, signature } = await signDelivery(scannedEvent(), { secret: SECRET })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed' })
  const sent = request('https://example.com/webhooks/govalid')
  expect([sent.method, sent.headers.get('X-GoValid-Signature')]).toEqual(['POST', signature])
  expect(new Uint8Array(await sent.arrayBuffer())).toEqual(rawBody)
})

test('options.headers replaces the default headers', async () => {
  const headers = { 'x-govalid-signature': 'sha256=forged', 'x-request-id': '7' }
  const { delivery } = await signDelivery('{}', { secret: SECRET, headers })
  expect(delivery.header('x-govalid-signature')).toBe('sha256=forged')
  expect(delivery.header('x-request-id')).toBe('7')
  expect(delivery.header('toString')).toBeUndefined()
  expect(delivery.headers?.()).toEqual({ 'content-type': 'application/json', ...headers })
})

const verdicts = readVectors<{
  cases: { body_b64: string; header: string; secret: string; accept: boolean; name: string }[]
}>('govalid_reference_verdicts.json')
test.runIf(verdicts)(`signatures match those that the documented verifier accepts${skipNote(verdicts)}`, async () => {
  for (const { body_b64, header, secret, name } of verdicts?.cases.filter(({ accept }) => accept) ?? []) {
    const { signature } = await signDelivery(new Uint8Array(Buffer.from(body_b64, 'base64')), { secret })
    expect(signature, name).toBe(header)
  }
})
