/**
 * HMAC-SHA256 (RFC 2104) with one kept key, compared in constant time. It is always the platform's own: `node:crypto` if the runtime has
 * it built in, otherwise WebCrypto.
 */
import { decodeHex } from './encoding.js'
import { createTextBuffer, findNodeCrypto, type NodeCrypto } from './platform.js'

/** A kept HMAC-SHA256 key. */
export interface HmacKey {
  /** Whether `digits` (64 lowercase hex digits, already checked) are the MAC of `content`. Constant time in the digits. */
  matches(content: Uint8Array, digits: string): boolean | Promise<boolean>
}

/** Creates a key on the best crypto of this runtime. */
export function createHmacKey(secret: Uint8Array): HmacKey {
  const nodeCrypto = findNodeCrypto()
  return nodeCrypto ? createNodeHmacKey(nodeCrypto, secret) : createWebHmacKey(secret)
}

/**
 * Creates a key on `node:crypto`: synchronous. A kept `KeyObject` is 6 to 7 times faster than raw key bytes on Node 24, and comparing digits
 * in kept buffers is faster than decoding the signature. One pair of buffers is enough, because nothing runs between write and comparison.
 */
export function createNodeHmacKey(nodeCrypto: NodeCrypto, secret: Uint8Array): HmacKey {
  const key = nodeCrypto.createSecretKey(secret)
  const expected = createTextBuffer(DIGITS)
  const given = createTextBuffer(DIGITS)
  return {
    matches(content, digits) {
      const mac = nodeCrypto.createHmac('sha256', key).update(content).digest('hex')
      expected.write(mac, 0, 'latin1')
      given.write(digits, 0, 'latin1')
      return nodeCrypto.timingSafeEqual(expected, given)
    },
  }
}

const DIGITS = 64

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** Creates a key on WebCrypto: asynchronous. The key is imported on first use, because Workers forbid that at module scope, and kept. */
export function createWebHmacKey(secret: Uint8Array): HmacKey {
  // Only the imported key is kept, because a Worker may not share a promise between requests.
  let key: WebKey | undefined
  const { subtle } = crypto
  async function importKey(): Promise<WebKey> {
    key = await subtle.importKey('raw', copyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    return key
  }
  return {
    // Not `async`: an async function needs three more microtasks to return a promise.
    matches(content, digits) {
      const verify = (imported: WebKey) =>
        subtle.verify('HMAC', imported, decodeHex(digits), content as Uint8Array<ArrayBuffer>)
      return key ? verify(key) : importKey().then(verify)
    },
  }
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
