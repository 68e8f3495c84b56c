/** Which bytes the signature is expected over: the whole body, or what it was before its signature member was added. */
import { describe, expect, test } from 'vitest'
import type { QrScannedData } from '../../src/index.js'
import { scannedEvent } from '../support/payloads.js'
import { deliveryOf, receiving, signatureOf } from '../support/receiving.js'

const CONTENT = JSON.stringify(scannedEvent())
const withField = (value: string) => `${CONTENT.slice(0, -1)},"signature":${JSON.stringify(value)}}`
const BODY = withField(signatureOf(CONTENT))

/** A body under the signature of other bytes. */
const under = (signed: string, body: string) =>
  deliveryOf(body, { header: (name) => (name === 'x-govalid-signature' ? signatureOf(signed) : undefined) })

describe('the whole body, as it is by default', () => {
  test('is worked when it is signed as a whole, its own member untrusted', async () => {
    const { receiver } = receiving()
    receiver.on('qr.scanned', () => {})
    expect(await receiver.receive(deliveryOf(BODY))).toMatchObject({ status: 'processed' })
  })

  test('never falls back to the other reading', async () => {
    const { receiver } = receiving()
    expect(await receiver.receive(under(CONTENT, BODY))).toMatchObject({
      status: 'refused',
      code: 'signature_mismatch',
    })
  })
})

describe('the body without its signature', () => {
  const strip = { signedContent: 'body-without-signature' } as const

  test('is worked when it is signed without the member; the handler sees the event', async () => {
    const seen: QrScannedData[] = []
    const { receiver } = receiving(strip)
    receiver.on('qr.scanned', (event) => void seen.push(event.data))
    expect(await receiver.receive(under(CONTENT, BODY))).toMatchObject({ status: 'processed' })
    expect(seen).toEqual([scannedEvent().data])
  })

  test('never falls back to the other reading', async () => {
    const { receiver } = receiving(strip)
    expect(await receiver.receive(deliveryOf(BODY))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
  })

  test('a body without the member is its own content', async () => {
    const { receiver } = receiving(strip)
    expect((await receiver.receive(deliveryOf(CONTENT))).status).toBe('ignored')
  })

  test('what is not signed changes nothing: another member inside is the same delivery, and none of it is in the event', async () => {
    const seen: unknown[] = []
    const { receiver } = receiving(strip)
    receiver.on('qr.scanned', (event) => void seen.push(event))
    expect((await receiver.receive(under(CONTENT, BODY))).status).toBe('processed')
    expect((await receiver.receive(under(CONTENT, withField('forged by somebody')))).status).toBe('duplicate')
    expect(seen).toEqual([scannedEvent()])
  })

  test('two members are refused: nobody knows which one was added', async () => {
    const { receiver } = receiving(strip)
    const twice = `${withField('a').slice(0, -1)},"signature":"b"}`
    expect((await receiver.receive(under(CONTENT, twice))).status).toBe('refused')
  })
})
