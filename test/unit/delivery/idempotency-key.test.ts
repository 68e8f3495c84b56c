/** Part of stage 5: the key that deduplicates a delivery. */
import { createHash } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { createDigest } from '../../../src/crypto/digest.js'
import { type PayloadEnvelope, readEnvelope } from '../../../src/delivery/envelope.js'
import { idempotencyKey, type KeySource } from '../../../src/delivery/idempotency-key.js'
import type { ReceiverOptions } from '../../../src/index.js'
import { testServices } from '../../support/delivery-fixtures.js'

type KeyFunction = NonNullable<ReceiverOptions['idempotencyKey']>

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
const SOURCE: KeySource = {
  rawBody: new Uint8Array([1]),
  content: new Uint8Array([2]),
  envelope: { type: 'e', payload: { event: 'e' } },
}
const CONTENT_KEY = sha256(SOURCE.content)

const digestAtOnce = createDigest()

describe.each([
  { runtime: 'where SHA-256 is synchronous', digest: digestAtOnce },
  { runtime: 'where SHA-256 is asynchronous', digest: async (content: Uint8Array) => digestAtOnce(content) },
])('$runtime', ({ digest }) => {
  const services = (keyFunction?: unknown) =>
    testServices({ digest, ...(keyFunction !== undefined && { idempotencyKey: keyFunction as KeyFunction }) })
  const keyOf = (keyFunction?: unknown, source: KeySource = SOURCE) => idempotencyKey(services(keyFunction), source)

  test('without a function the key is the hash of the signed bytes', async () => {
    expect(await keyOf()).toBe(CONTENT_KEY)
  })

  test('the text that a function returns is hashed, so the key doesn’t reveal it', async () => {
    const calls: KeyFunction[] = [
      () => 'order-1',
      ({ payload }) => String(payload['event']),
      ({ rawBody }) => String(rawBody[0]),
    ]
    const keys = await Promise.all(calls.map((keyFunction) => keyOf(keyFunction)))
    expect(keys).toEqual([sha256('order-1'), sha256('e'), sha256('1')])
  })

  test('a function that changes the raw body changes only its own copy', async () => {
    const rawBody = new Uint8Array([1])
    const change = (delivery: { readonly rawBody: Uint8Array }) => String(delivery.rawBody.fill(9))
    expect(await keyOf(change, { ...SOURCE, rawBody })).toBe(sha256('9'))
    expect(rawBody).toEqual(new Uint8Array([1]))
  })

  test('a function that changes the payload changes only its own copy', async () => {
    const content = new TextEncoder().encode('{"event":"e"}')
    const envelope = readEnvelope(content) as PayloadEnvelope
    const change = ({ payload }: { payload: Record<string, unknown> }) => {
      payload['event'] = 'changed'
      return 'changed'
    }
    expect(await keyOf(change, { ...SOURCE, content, envelope })).toBe(sha256('changed'))
    expect(envelope).toEqual({ type: 'e', payload: { event: 'e' } })
  })

  test('a body that isn’t an event has the hash of its bytes, and the function isn’t called', async () => {
    let calls = 0
    const source: KeySource = { ...SOURCE, envelope: { unprocessable: 'not_json' } }
    expect(await keyOf(() => String(calls++), source)).toBe(CONTENT_KEY)
    expect(calls).toBe(0)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no id')
      },
    ],
    ['returns nothing', () => undefined],
    ['returns an empty string', () => ''],
    ['returns a number', () => 12],
    ['is asynchronous', async () => 'order-1'],
    ['is asynchronous and rejects', () => Promise.reject(new Error('no id'))],
  ])('a function that %s is reported, and the signed bytes are the key', async (_, keyFunction) => {
    const withFunction = services(keyFunction)
    expect(await idempotencyKey(withFunction, SOURCE)).toBe(CONTENT_KEY)
    expect(withFunction.reports).toEqual([
      {
        code: 'idempotency_key_failed',
        idempotencyKey: CONTENT_KEY,
        message: expect.stringContaining('idempotencyKey'),
      },
    ])
    // Vitest fails the run if the rejection stays unhandled.
    await new Promise((resolve) => setImmediate(resolve))
  })
})
