/**
 * HMAC-SHA256 (RFC 2104) with one kept key, compared in constant time: by `node:crypto` where it is built in, else by WebCrypto.
 */
import { decodeHex } from './encoding.js'
import { createTextBuffer, findNodeCrypto, type NodeCrypto, type TextBuffer } from './platform.js'

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
 * A key on `node:crypto`: synchronous. Digits in kept buffers are quicker than a decoded signature; nothing runs between the writing and
 * the comparing, so one pair of buffers is enough.
 */
export function createNodeHmacKey(nodeCrypto: NodeCrypto, secret: Uint8Array): HmacKey {
  const compute = nodeCrypto.hash ? createMacOfHashes(nodeCrypto, secret) : createMac(nodeCrypto, secret)
  const expected = createTextBuffer(DIGITS)
  const given = createTextBuffer(DIGITS)
  return {
    matches(content, digits) {
      expected.write(compute(content), 0, 'latin1')
      given.write(digits, 0, 'latin1')
      return nodeCrypto.timingSafeEqual(expected, given)
    },
  }
}

const DIGITS = 64

/** Computes a MAC as 64 lower-case hex digits. */
type ComputeMac = (content: Uint8Array) => string

/** The platform's own HMAC. A kept `KeyObject` is 6 to 7 times quicker than raw bytes on Node 24. */
function createMac(nodeCrypto: NodeCrypto, secret: Uint8Array): ComputeMac {
  const key = nodeCrypto.createSecretKey(secret)
  return function computeMac(content) {
    return nodeCrypto.createHmac('sha256', key).update(content).digest('hex')
  }
}

/** SHA-256 works on blocks of 64 bytes (RFC 2104, 2). */
const BLOCK = 64
/** The longest content that is copied to be hashed in one go; what is longer gains nothing by it. */
const MAX_COPIED_BYTES = 16 * 1024

/** An inner block and the content behind it; shared by all keys, since nothing runs between the copying and the hashing. */
let copied: TextBuffer | undefined

/**
 * HMAC by its definition, H(K ^ opad, H(K ^ ipad, content)) (RFC 2104, 2), of two one-shot hashes of the platform: half the time of its
 * HMAC, which makes an object for each. See docs/decisions/0050.
 */
function createMacOfHashes(nodeCrypto: NodeCrypto, secret: Uint8Array): ComputeMac {
  const hash = nodeCrypto.hash as NonNullable<NodeCrypto['hash']>
  const computeMac = createMac(nodeCrypto, secret)
  const inner = createTextBuffer(BLOCK)
  const outer = createTextBuffer(BLOCK + 32)
  if (secret.length > BLOCK) inner.write(hash('sha256', secret, 'hex'), 0, 'hex')
  else inner.set(secret)
  for (let index = 0; index < BLOCK; index++) {
    const byte = inner[index] as number
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  return function computeMacOfHashes(content) {
    if (content.length > MAX_COPIED_BYTES) return computeMac(content)
    copied ??= createTextBuffer(BLOCK + MAX_COPIED_BYTES)
    copied.set(inner)
    copied.set(content, BLOCK)
    outer.write(hash('sha256', copied.subarray(0, BLOCK + content.length), 'hex'), BLOCK, 'hex')
    return hash('sha256', outer, 'hex')
  }
}

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** A key on WebCrypto: asynchronous; imported on first use, since Workers forbid it at module scope, and kept. */
export function createWebHmacKey(secret: Uint8Array): HmacKey {
  // A Worker may not share a promise between requests, so only the imported key is kept.
  let key: WebKey | undefined
  const { subtle } = crypto
  async function importKey(): Promise<WebKey> {
    key = await subtle.importKey('raw', copyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    return key
  }
  return {
    // Not `async`: such a function takes three turns more to give back a promise.
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
