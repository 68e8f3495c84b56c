/** HMAC-SHA256 with a reusable key, in both crypto implementations. */
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { createHmacKey, createNodeHmacKey, createWebHmacKey } from '../../../src/crypto/hmac.js'
import { findNodeCrypto, type NodeCrypto } from '../../../src/crypto/platform.js'
import { hideNodeCrypto } from '../../support/crypto-paths.js'
import { RFC_4231 } from '../../vectors/published.js'

const nodeCrypto = findNodeCrypto() as NodeCrypto
const SECRET = new TextEncoder().encode('your_webhook_secret')
const CONTENT = new TextEncoder().encode('{"event":"qr.scanned"}')
const macOf = (content: Uint8Array, secret: Uint8Array = SECRET) =>
  createHmac('sha256', secret).update(content).digest('hex')

const RIGHT = macOf(CONTENT)
const WRONG = '0'.repeat(64)

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each([
  { path: 'node:crypto', create: (secret: Uint8Array) => createNodeHmacKey(nodeCrypto, secret) },
  { path: 'WebCrypto', create: createWebHmacKey },
])('on $path', ({ create }) => {
  it.each(RFC_4231.filter(({ macHex }) => macHex.length === 64))('RFC 4231 $source', async (vector) => {
    const key = create(new Uint8Array(Buffer.from(vector.keyHex, 'hex')))
    const content = new Uint8Array(Buffer.from(vector.messageHex, 'hex'))
    expect(await key.matches(content, vector.macHex)).toBe(true)
    expect(await key.matches(content, WRONG)).toBe(false)
  })

  it('refuses a MAC that differs in any of its 256 bits', async () => {
    const key = create(SECRET)
    for (let bit = 0; bit < 256; bit++) {
      const mac = Buffer.from(RIGHT, 'hex')
      mac[bit >> 3] = (mac[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(await key.matches(CONTENT, mac.toString('hex')), `bit ${bit}`).toBe(false)
    }
    expect(await key.matches(CONTENT, RIGHT)).toBe(true)
  })

  it('trap: computes the MAC of a view with an offset over the bytes of the view only', async () => {
    const key = create(SECRET)
    const wide = new Uint8Array(CONTENT.length + 7).fill(0x41)
    wide.set(CONTENT, 3)
    const view = new Uint8Array(wide.buffer, 3, CONTENT.length)
    expect(await key.matches(view, RIGHT)).toBe(true)
    expect(await key.matches(wide, RIGHT)).toBe(false)
    expect(await key.matches(Buffer.from(CONTENT), RIGHT)).toBe(true)
  })

  it.each([1, 63, 64, 65, 131, 1_000_000])('accepts a secret of %i bytes', async (length) => {
    const secret = new Uint8Array(length).fill(0x6b)
    expect(await create(secret).matches(CONTENT, macOf(CONTENT, secret))).toBe(true)
  })

  it.each([0, 1, 55, 56, 64, 1000, 16_383, 16_384, 16_385, 1_048_576])(
    'verifies content of %i bytes',
    async (length) => {
      const key = create(SECRET)
      const content = new Uint8Array(length).fill(0x2e)
      expect(await key.matches(content, macOf(content))).toBe(true)
      // Shorter content afterwards shows that no bytes of the longer content remain in a buffer.
      expect(await key.matches(CONTENT, RIGHT)).toBe(true)
      expect(await key.matches(content, RIGHT)).toBe(false)
    },
  )

  it('gives the same verdict every time, and verifies an empty body', async () => {
    const key = create(SECRET)
    const empty = new Uint8Array(0)
    for (let round = 0; round < 3; round++) {
      expect(await key.matches(CONTENT, RIGHT)).toBe(true)
      expect(await key.matches(empty, macOf(empty))).toBe(true)
      expect(await key.matches(empty, RIGHT)).toBe(false)
    }
  })
})

test("the platform's own HMAC computes every MAC, with a kept KeyObject", () => {
  const platformHmac = vi.spyOn(process.getBuiltinModule('node:crypto'), 'createHmac')
  const key = createHmacKey(SECRET)
  for (const size of [0, 300, 1_048_576]) void key.matches(new Uint8Array(size), WRONG)
  expect(platformHmac).toHaveBeenCalledTimes(3)
  const keys = platformHmac.mock.calls.map(([, kept]) => kept)
  expect(new Set(keys).size).toBe(1)
  expect(keys[0]).toMatchObject({ type: 'secret' })
})

describe('the comparison takes constant time', () => {
  test('node:crypto: timingSafeEqual decides, for right and wrong alike', () => {
    const compare = vi.spyOn(process.getBuiltinModule('node:crypto'), 'timingSafeEqual')
    const key = createHmacKey(SECRET)
    expect(key.matches(CONTENT, RIGHT)).toBe(true)
    expect(key.matches(CONTENT, WRONG)).toBe(false)
    expect(compare.mock.results.map(({ value }) => value)).toEqual([true, false])
  })

  test('WebCrypto: subtle.verify decides, for right and wrong alike', async () => {
    hideNodeCrypto()
    const compare = vi.spyOn(crypto.subtle, 'verify')
    const key = createHmacKey(SECRET)
    expect(await key.matches(CONTENT, RIGHT)).toBe(true)
    expect(await key.matches(CONTENT, WRONG)).toBe(false)
    expect(compare).toHaveBeenCalledTimes(2)
  })
})

test('WebCrypto: the key is imported once, at its first use', async () => {
  const imported = vi.spyOn(crypto.subtle, 'importKey')
  const key = createWebHmacKey(SECRET)
  expect(imported).not.toHaveBeenCalled()
  await key.matches(CONTENT, RIGHT)
  await key.matches(CONTENT, WRONG)
  expect(imported).toHaveBeenCalledTimes(1)
  // A key that isn't extractable can't reveal the secret.
  expect(imported.mock.calls[0]?.slice(2)).toEqual([{ name: 'HMAC', hash: 'SHA-256' }, false, ['verify']])
})

test('node:crypto is preferred, because it is synchronous', async () => {
  expect(createHmacKey(SECRET).matches(CONTENT, RIGHT)).toBe(true)
  hideNodeCrypto()
  expect(createHmacKey(SECRET).matches(CONTENT, RIGHT)).toBeInstanceOf(Promise)
})
