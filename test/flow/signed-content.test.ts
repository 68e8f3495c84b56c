/** The bytes that the signature covers: the whole body, or the body before its signature field was added. */
import { describe, expect, test } from 'vitest'
import type { QrScannedData } from '../../src/index.js'
import { scannedEvent } from '../support/payloads.js'
import { deliveryOf, receiving, signatureOf } from '../support/receiving.js'

const CONTENT = JSON.stringify(scannedEvent())
const withField = (value: string) => `${CONTENT.slice(0, -1)},"signature":${JSON.stringify(value)}}`
const BODY = withField(signatureOf(CONTENT))

/** Delivers a body with the signature of other bytes. */
const signedOver = (signed: string, body: string) =>
  deliveryOf(body, { header: (name) => (name === 'x-govalid-signature' ? signatureOf(signed) : undefined) })

describe('the whole body (default)', () => {
  test('is processed if it is signed as a whole, and its own signature field is not trusted', async () => {
    const { receiver } = receiving()
    receiver.on('qr.scanned', () => {})
    expect(await receiver.receive(deliveryOf(BODY))).toMatchObject({ status: 'processed' })
  })

  test('is refused if the other content is signed', async () => {
    const { receiver } = receiving()
    expect(await receiver.receive(signedOver(CONTENT, BODY))).toMatchObject({
      status: 'refused',
      code: 'signature_mismatch',
    })
  })
})

describe('the body without its signature field', () => {
  const strip = { signedContent: 'body-without-signature' } as const

  test('is processed if it is signed without the field, and the handler sees the event', async () => {
    const seen: QrScannedData[] = []
    const { receiver } = receiving(strip)
    receiver.on('qr.scanned', (event) => void seen.push(event.data))
    expect(await receiver.receive(signedOver(CONTENT, BODY))).toMatchObject({ status: 'processed' })
    expect(seen).toEqual([scannedEvent().data])
  })

  test('is refused if the other content is signed', async () => {
    const { receiver } = receiving(strip)
    expect(await receiver.receive(deliveryOf(BODY))).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
  })

  test('is the whole body if it has no such field', async () => {
    const { receiver } = receiving(strip)
    expect((await receiver.receive(deliveryOf(CONTENT))).status).toBe('ignored')
  })

  test('is the same delivery with any signature field, and the field is not in the event', async () => {
    const seen: unknown[] = []
    const { receiver } = receiving(strip)
    receiver.on('qr.scanned', (event) => void seen.push(event))
    expect((await receiver.receive(signedOver(CONTENT, BODY))).status).toBe('processed')
    expect((await receiver.receive(signedOver(CONTENT, withField('forged')))).status).toBe('duplicate')
    expect(seen).toEqual([scannedEvent()])
  })

  test('is refused if it has two signature fields, because either could have been added', async () => {
    const { receiver } = receiving(strip)
    const twice = `${withField('a').slice(0, -1)},"signature":"b"}`
    expect((await receiver.receive(signedOver(CONTENT, twice))).status).toBe('refused')
  })
})
