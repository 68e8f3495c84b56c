/** What a delivery is known by when the user says it. */
import { createHash } from 'node:crypto'
import { expect, it, test } from 'vitest'
import { createDigest } from '../../../src/crypto/digest.js'
import { type KeyFunction, userKey } from '../../../src/delivery/idempotency-key.js'

const key = (name: KeyFunction) => userKey(createDigest(), name, new Uint8Array([1]), { event: 'e' })
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('the text a function names is hashed, so that a key never tells what it is made of', async () => {
  expect(await key(() => 'order-1')).toBe(sha256('order-1'))
  expect(await key(({ payload }) => String(payload['event']))).toBe(sha256('e'))
  expect(await key(({ rawBody }) => String(rawBody[0]))).toBe(sha256('1'))
})

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('no id')
    },
  ],
  ['names nothing', () => undefined],
  ['names an empty text', () => ''],
  ['names a number', () => 12],
  ['is asynchronous', async () => 'order-1'],
  ['is asynchronous and rejects', () => Promise.reject(new Error('no id'))],
])('a function that %s names no key, and leaves no rejection behind', async (_, name) => {
  expect(await key(name as KeyFunction)).toBeUndefined()
  await new Promise((resolve) => setImmediate(resolve))
})
