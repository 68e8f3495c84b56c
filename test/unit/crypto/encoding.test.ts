/** Hex and UTF-8 encoding. */
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { decodeHex, encodeHex, encodeUtf8, isBytes } from '../../../src/crypto/encoding.js'

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

it.each<[string, unknown, boolean]>([
  ['a Uint8Array', new Uint8Array(1), true],
  ['a Buffer', Buffer.alloc(1), true],
  ['a Uint8Array of another realm', runInNewContext('new Uint8Array(1)'), true],
  ['an array of another type', new Int8Array(1), false],
  ['a view of another type', new DataView(new ArrayBuffer(1)), false],
  ['an ArrayBuffer', new ArrayBuffer(1), false],
  ['an object that names itself so', { [Symbol.toStringTag]: 'Uint8Array' }, false],
  ['an object with the prototype alone', Object.create(Uint8Array.prototype), false],
  ['undefined', undefined, false],
])('recognizes bytes: %s', (_, value, expected) => {
  expect(isBytes(value)).toBe(expected)
})
