/**
 * HMAC-SHA256 (RFC 2104) with one kept key, compared in constant time: by `node:crypto` where it is built in, else by WebCrypto.
 */
import { decodeHex } from './encoding.js'
import { createTextBuffer, findNodeCrypto, type NodeCrypto } from './platform.js'

/** A kept HMAC-SHA256 key. */
export interface HmacKey {
  /**
   * Whether `digits` (64 lower-case hex digits, already checked) are the MAC of `content`. Constant time in the digits.
   */
  matches(content: Uint8Array, digits: string): boolean | Promise<boolean>
}

/** A key on the best crypto this runtime has. */
export function createHmacKey(secret: Uint8Array): HmacKey {
  const nodeCrypto = findNodeCrypto()
  return nodeCrypto ? createNodeHmacKey(nodeCrypto, secret) : createWebHmacKey(secret)
}

/**
 * A key on `node:crypto`: synchronous. A kept `KeyObject` is 6 to 7 times quicker than raw bytes on Node 24, and digits in kept buffers
 * are quicker than a decoded signature. Nothing runs between the writing and the comparing, so one pair of buffers is enough.
 */
export function createNodeHmacKey(nodeCrypto: NodeCrypto, secret: Uint8Array): HmacKey {
  const key = nodeCrypto.createSecretKey(secret)
  const expected = createTextBuffer(DIGITS)
  const given = createTextBuffer(DIGITS)
  return {
    matches(content, digits) {
      expected.write(nodeCrypto.createHmac('sha256', key).update(content).digest('hex'), 'latin1')
      given.write(digits, 'latin1')
      return nodeCrypto.timingSafeEqual(expected, given)
    },
  }
}

const DIGITS = 64

/** A key on WebCrypto: asynchronous; imported on first use, since Workers forbid it at module scope, and kept. */
export function createWebHmacKey(secret: Uint8Array): HmacKey {
  const { subtle } = crypto
  // A Worker may not share a promise between requests, so only the imported key is kept.
  let key: Awaited<ReturnType<typeof subtle.importKey>> | undefined
  return {
    async matches(content, digits) {
      key ??= await subtle.importKey('raw', copyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
      return subtle.verify('HMAC', key, decodeHex(digits), content as Uint8Array<ArrayBuffer>)
    },
  }
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
