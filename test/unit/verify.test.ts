/** Verification without a receiver. */
import { beforeEach, describe, expect, it, test, vi } from 'vitest'
import { assertSignature, EVENT_TYPES, type Payload, parseEvent, type Secret, verifyAndParse } from '../../src/index.js'
import { sign } from '../../src/testing/sign-delivery.js'
import { caught, rejection } from '../support/caught.js'
import { describeOnBothCryptos, hideNodeCrypto } from '../support/crypto-paths.js'
import { eventOf, scannedEvent } from '../support/payloads.js'

const SECRET = 'your_webhook_secret'
const TEXT = JSON.stringify(scannedEvent())
const BYTES = new TextEncoder().encode(TEXT)
const SIGNATURE = await sign(BYTES, SECRET)

describeOnBothCryptos('assertSignature and verifyAndParse', () => {
  const view = new Uint8Array(BYTES.length + 4)
  view.set(BYTES, 2)
  // The keys of the last secret are cached together with their crypto implementation, so a different secret has to evict them.
  beforeEach(() => rejection(assertSignature(TEXT, SIGNATURE, 'another secret')))

  it.each<[string, Payload]>([
    ['text', TEXT],
    ['bytes', BYTES],
    ['an ArrayBuffer', BYTES.slice().buffer],
    ['a Buffer', Buffer.from(BYTES)],
    ['a view with an offset', view.subarray(2, -2)],
  ])('%s: gives the same verdict (acceptance case 78)', async (_, payload) => {
    expect(await assertSignature(payload, SIGNATURE, SECRET)).toBeUndefined()
    expect(await verifyAndParse(payload, SIGNATURE, SECRET)).toMatchObject({
      known: true,
      event: { event: 'qr.scanned' },
    })
    expect(await rejection(assertSignature(payload, SIGNATURE, 'another'))).toMatchObject({
      code: 'signature_mismatch',
    })
  })

  it.each<[string, string | null | undefined, string]>([
    ['no signature', undefined, 'signature_missing'],
    ['null', null, 'signature_missing'],
    ['an empty signature', '', 'signature_missing'],
    ['a malformed signature', SIGNATURE.slice(7), 'signature_malformed'],
    ['a wrong signature', `sha256=${'0'.repeat(64)}`, 'signature_mismatch'],
  ])('%s: rejects with %s %s', async (_, signature, code) => {
    const errors = await Promise.all(
      [assertSignature, verifyAndParse].map((verify) => rejection(verify(TEXT, signature, SECRET))),
    )
    for (const error of errors) {
      expect(error).toMatchObject({ name: 'WebhookError', code })
      expect((error as Error).message).not.toContain(SECRET)
      expect((error as Error).message).not.toMatch(/[0-9a-f]{16}/)
    }
  })

  it.each([
    ['names a likely mistake in the secret', ` ${SECRET}`, 'white space'],
    ['names the command that explains it', 'another', 'explain signature_mismatch'],
  ])('a refusal %s', async (_, secret, text) => {
    expect(((await rejection(assertSignature(TEXT, SIGNATURE, secret))) as Error).message).toContain(text)
  })

  test('a refusal without a hint says only that', async () => {
    const { message } = (await rejection(assertSignature(TEXT, SIGNATURE, 'another'))) as Error
    expect(message).toBe('The signature was refused. Run: npx govalid-webhooks explain signature_mismatch')
  })

  test('an array of secrets that was changed in place is read again', async () => {
    const secrets = ['another']
    expect(await rejection(assertSignature(TEXT, SIGNATURE, secrets))).toMatchObject({ code: 'signature_mismatch' })
    secrets[0] = SECRET
    expect(await assertSignature(TEXT, SIGNATURE, secrets)).toBeUndefined()
  })

  test('accepts a signature of any of several secrets', async () => {
    expect(await assertSignature(TEXT, SIGNATURE, ['new', SECRET])).toBeUndefined()
  })

  it.each<[Secret | readonly Secret[], string]>([
    [undefined, 'secret_missing'],
    ['', 'secret_blank'],
    [[], 'secret_missing'],
    [['a', undefined], 'secret_missing'],
  ])('the secret %j: rejects with %s, even if the signature is right', async (secret, code) => {
    expect(await rejection(assertSignature(TEXT, SIGNATURE, secret))).toMatchObject({ code })
    expect(await rejection(verifyAndParse(TEXT, SIGNATURE, secret))).toMatchObject({ code })
  })

  it.each<[string, unknown]>([
    ['a parsed object', scannedEvent()],
    ['an array', []],
    ['null', null],
    ['undefined', undefined],
    ['a number', 12],
  ])('%s is not a raw body: rejects with a TypeError (acceptance case 79)', async (_, payload) => {
    for (const verify of [assertSignature, verifyAndParse]) {
      const error = await rejection(verify(payload as Payload, SIGNATURE, SECRET))
      expect(error).toBeInstanceOf(TypeError)
      expect((error as Error).message).toMatch(/raw body.*before anything parses it/)
    }
  })

  test('a signed body that is not an event: verifyAndParse rejects, assertSignature accepts', async () => {
    const other = new TextEncoder().encode('} not json')
    const signature = await sign(other, SECRET)
    expect(await assertSignature(other, signature, SECRET)).toBeUndefined()
    expect(await rejection(verifyAndParse(other, signature, SECRET))).toMatchObject({ code: 'not_json' })
  })
})

test('imports a repeated secret once, because that takes WebCrypto longer than to verify', async () => {
  hideNodeCrypto()
  const importKey = vi.spyOn(crypto.subtle, 'importKey')
  const secret = 'imported once'
  const signature = await sign(BYTES, secret)
  importKey.mockClear()
  await assertSignature(TEXT, signature, secret)
  await verifyAndParse(TEXT, signature, secret)
  expect(importKey).toHaveBeenCalledTimes(1)
  vi.restoreAllMocks()
})

test('trap: a forgotten await does not accept a forgery, because the promise rejects and has no boolean', async () => {
  const forgotten = assertSignature(TEXT, `sha256=${'0'.repeat(64)}`, SECRET)
  expect(await rejection(forgotten)).toMatchObject({ code: 'signature_mismatch' })
  expect(await assertSignature(TEXT, SIGNATURE, SECRET)).not.toBe(true)
})

describe('parseEvent', () => {
  it.each(EVENT_TYPES)('knows %s and finds no issue in it', (type) => {
    expect(parseEvent(JSON.stringify(eventOf(type)))).toEqual({ known: true, event: eventOf(type), issues: [] })
  })

  test('marks an event that this version does not know', () => {
    const parsed = parseEvent('{"event":"qr.archived","anything":[1]}')
    expect(parsed).toEqual({ known: false, event: { event: 'qr.archived', anything: [1] }, issues: [] })
  })

  test('reports a difference from the documented shape, and leaves the event unchanged', () => {
    const parsed = parseEvent(JSON.stringify(scannedEvent({ webhook_id: 7 })))
    expect(parsed.issues).toEqual([{ path: ['webhook_id'], expected: 'string', received: 'number' }])
    expect(parsed.event).toMatchObject({ webhook_id: 7 })
  })

  it.each<[Payload, string]>([
    [new Uint8Array([0xff]), 'not_utf8'],
    ['', 'not_json'],
    ['[]', 'not_an_event'],
  ])('%j: throws %s', (payload, code) => {
    const message = expect.stringContaining('valid UTF-8, JSON')
    expect(caught(() => parseEvent(payload))).toMatchObject({ name: 'WebhookError', code, message })
  })

  test('throws a TypeError for a parsed object', () => {
    expect(caught(() => parseEvent(scannedEvent() as never))).toBeInstanceOf(TypeError)
  })
})
