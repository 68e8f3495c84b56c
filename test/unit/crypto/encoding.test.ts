/** Hex and UTF-8 encoding. */
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { decodeHex, encodeHex, encodeUtf8 } from '../../../src/crypto/encoding.js'

it('encodes and decodes hex as Node does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const digits = Buffer.from(bytes).toString('hex')
      expect(encodeHex(bytes)).toBe(digits)
      expect(decodeHex(digits)).toEqual(new Uint8Array(bytes))
    }),
  )
})

test('encodes and decodes every byte value', () => {
  const all = Uint8Array.from({ length: 256 }, (_, index) => index)
  expect(decodeHex(encodeHex(all))).toEqual(all)
  expect(encodeHex(all)).toMatch(/^000102.*fdfeff$/)
})

test('encodes text as UTF-8', () => {
  expect(encodeUtf8('é☕')).toEqual(new Uint8Array([0xc3, 0xa9, 0xe2, 0x98, 0x95]))
})
