// The acceptance cases about the core function: inputs that no HTTP server can pass on, and options that are refused at creation.
import { describe, expect, test } from 'vitest'
import {
  assertSignature,
  createReceiver,
  type Delivery,
  isWebhookError,
  type ReceiverOptions,
  type SecretSource,
  verifyAndParse,
} from '../../src/index.js'
import { readVectors } from '../vectors/published.js'
import { mac, scan, signatureOf } from './deliveries.js'
import { createRecorder } from './recorder.js'
import { SECRET } from './variants.js'

/** Creates a receiver whose handler, store and hooks are recorded. */
function receiverOf(options: Partial<ReceiverOptions> = {}) {
  const recorder = createRecorder()
  const store = recorder.store({
    claim: () => ({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }),
    renew: () => true,
    complete: () => true,
    release: () => true,
  })
  const receiver = createReceiver({ secret: SECRET, store, onError: recorder.report('core'), ...options })
  receiver.on('*', (event, context) => recorder.handled('core', '*', { ...event }, context))
  return { receiver, seen: () => recorder.take(Date.now()) }
}

const deliver = (body: unknown, signature: unknown): Delivery => ({
  method: 'POST',
  header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
  body: body as Uint8Array,
})

describe('29, 30 a signature that is not a string', () => {
  const good = scan()
  const right = signatureOf(good)
  test.each([
    ['an empty list', []],
    ['a list with the correct value', [right]],
    ['a list with the correct value twice', [right, right]],
    ['a number', 12],
    ['an object', { toString: () => right }],
    ['a Buffer with the correct value', Buffer.from(right)],
    ['null', null],
    ['a Symbol', Symbol('sha256')],
    ['a boxed string', Object(right)],
  ])('%s is refused without an exception', async (_name, value) => {
    const { receiver, seen } = receiverOf()
    expect(await receiver.receive(deliver(good, value))).toMatchObject({ status: 'refused', code: 'signature_missing' })
    const { handled, store } = seen()
    expect({ handled, claims: store.claim }).toEqual({ handled: [], claims: 0 })
    await expect(assertSignature(good, value as string, SECRET)).rejects.toMatchObject({ code: 'signature_missing' })
  })
})

describe('43 an unusable secret', () => {
  test.each([
    ['an empty string', '', 'secret_blank'],
    ['only spaces, tabs and newlines', ' \t\n', 'secret_blank'],
    ['undefined', undefined, 'secret_missing'],
    ['null', null, 'secret_missing'],
    ['an empty list', [], 'secret_missing'],
    ['a list that contains undefined', [SECRET, undefined], 'secret_missing'],
    ['a list that contains a space', [SECRET, ' '], 'secret_blank'],
    ['an empty Uint8Array', new Uint8Array(0), 'secret_blank'],
    ['a number', 12, 'option_invalid'],
  ])('%s throws at creation', (_name, secret, code) => {
    let thrown: unknown
    try {
      createReceiver({ secret: secret as SecretSource })
    } catch (error) {
      thrown = error
    }
    expect(isWebhookError(thrown) && thrown.code).toBe(code)
  })

  test('the error names the position in the list', () => {
    expect(() => createReceiver({ secret: [SECRET, undefined] })).toThrow('secret[1]')
  })

  test.each([
    ['an empty string', ''],
    ['undefined', undefined],
  ])(
    'a secret function that returns %s refuses the delivery, even with a signature under an empty key',
    async (_name, secret) => {
      const { receiver } = receiverOf({ secret: () => secret })
      const body = scan()
      const outcome = await receiver.receive(deliver(body, `sha256=${mac(body, '')}`))
      expect(outcome).toMatchObject({ status: 'refused', code: 'secret_missing' })
    },
  )

  test('105d naughty strings of only white space throw at creation', () => {
    const texts = (readVectors<readonly string[]>('json/blns.base64.json') ?? []).map((entry) =>
      Buffer.from(entry, 'base64').toString(),
    )
    for (const blank of [...texts.filter((text) => text.trim() === ''), '\u00a0\u2003', '\ufeff']) {
      expect(() => createReceiver({ secret: blank }), JSON.stringify(blank)).toThrow('secret_blank')
    }
  })
})

describe('78 a raw body in every supported form', () => {
  const body = scan()
  const padded = new Uint8Array(body.byteLength + 20).fill(0x20)
  padded.set(body, 7)
  const forms: readonly (readonly [string, unknown])[] = [
    ['a string', body.toString()],
    ['a Uint8Array', new Uint8Array(body)],
    ['an ArrayBuffer', new Uint8Array(body).buffer],
    ['a Buffer', body],
    ['a view with an offset', padded.subarray(7, 7 + body.byteLength)],
    ['a ReadableStream', new Blob([new Uint8Array(body)]).stream()],
    [
      'an async iterable of chunks',
      (async function* () {
        yield new Uint8Array(body.subarray(0, 10))
        yield new Uint8Array(body.subarray(10))
      })(),
    ],
  ]

  test.each(forms)('%s is processed under a correct signature', async (_name, form) => {
    const { receiver, seen } = receiverOf()
    const outcome = await receiver.receive(deliver(form, signatureOf(body)))
    expect(outcome).toMatchObject({ status: 'processed' })
    expect(seen().handled[0]?.rawBase64).toBe(body.toString('base64'))
  })

  test.each(forms.slice(0, 5))('%s is refused under a wrong signature', async (_name, form) => {
    const { receiver, seen } = receiverOf()
    const outcome = await receiver.receive(deliver(form, `sha256=${'0'.repeat(64)}`))
    expect(outcome).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
    expect(seen().handled).toEqual([])
    await expect(verifyAndParse(form as Uint8Array, `sha256=${'0'.repeat(64)}`, SECRET)).rejects.toMatchObject({
      code: 'signature_mismatch',
    })
  })
})

describe('79 a parsed body', () => {
  const body = scan()
  const parsed = JSON.parse(body.toString())

  test('reaches no handler, and the report names the mistake', async () => {
    for (const form of [parsed, 12, true, undefined, [parsed]]) {
      const { receiver, seen } = receiverOf()
      const outcome = await receiver.receive(deliver(form, signatureOf(body)))
      expect(outcome).toMatchObject({ status: 'refused', code: 'body_already_parsed' })
      const { handled, store, reports } = seen()
      expect({ handled, claims: store.claim }).toEqual({ handled: [], claims: 0 })
      expect(reports[0]?.message).toContain('must be raw bytes')
    }
  })

  test('throws a TypeError in assertSignature and verifyAndParse', async () => {
    await expect(assertSignature(parsed, signatureOf(body), SECRET)).rejects.toBeInstanceOf(TypeError)
    await expect(verifyAndParse(parsed, signatureOf(body), SECRET)).rejects.toBeInstanceOf(TypeError)
  })
})
