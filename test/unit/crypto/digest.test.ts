/** SHA-256 in each of the three ways that a runtime may offer it. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, it, test, vi } from 'vitest'
import { createDigest } from '../../../src/crypto/digest.js'
import { hideNodeCrypto } from '../../support/crypto-paths.js'

afterEach(() => {
  vi.restoreAllMocks()
})

const hideHash = () => {
  const { hash: _, ...older } = process.getBuiltinModule('node:crypto')
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(older as never)
}

it.each([
  { way: 'with one call to node:crypto', prepare: () => {} },
  { way: 'in steps with an older node:crypto', prepare: hideHash },
  { way: 'with WebCrypto', prepare: hideNodeCrypto },
])('$way: returns 64 lowercase hex digits, the same as Node’s own hash', async ({ prepare }) => {
  prepare()
  const digest = createDigest()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const expected = createHash('sha256').update(bytes).digest('hex')
      expect(await digest(bytes)).toBe(expected)
    }),
  )
})

test('node:crypto returns the digest synchronously, in one call if the runtime has crypto.hash', () => {
  const bytes = new TextEncoder().encode('abc')
  const hash = vi.spyOn(process.getBuiltinModule('node:crypto'), 'hash')
  const inSteps = vi.spyOn(process.getBuiltinModule('node:crypto'), 'createHash')
  expect(createDigest()(bytes)).toHaveLength(64)
  expect([hash.mock.calls.length, inSteps.mock.calls.length]).toEqual([1, 0])
  hideHash()
  expect(createDigest()(bytes)).toHaveLength(64)
  expect([hash.mock.calls.length, inSteps.mock.calls.length]).toEqual([1, 1])
})

test('matches the FIPS 180-2 digest of "abc"', async () => {
  const abc = new TextEncoder().encode('abc')
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(createDigest()(abc)).toBe(expected)
  hideNodeCrypto()
  expect(await createDigest()(abc)).toBe(expected)
})

test('hashes only the bytes of a view with an offset', async () => {
  const view = new Uint8Array(new TextEncoder().encode('xxabcx').buffer, 2, 3)
  expect(createDigest()(view)).toBe(createHash('sha256').update('abc').digest('hex'))
  hideNodeCrypto()
  expect(await createDigest()(view)).toBe(createHash('sha256').update('abc').digest('hex'))
})
