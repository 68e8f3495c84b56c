/** SHA-256 as 64 lowercase hex digits: the fingerprint of a delivery. */
import { encodeHex } from './encoding.js'
import { findNodeCrypto } from './platform.js'

/** Computes a SHA-256; synchronous if the runtime can. */
export type Digest = (content: Uint8Array) => string | Promise<string>

/** Returns the best SHA-256 of this runtime. */
export function createDigest(): Digest {
  const nodeCrypto = findNodeCrypto()
  if (nodeCrypto?.hash) {
    const { hash } = nodeCrypto
    return function digestAtOnce(content) {
      return hash('sha256', content, 'hex')
    }
  }
  if (nodeCrypto) {
    return function digestInSteps(content) {
      return nodeCrypto.createHash('sha256').update(content).digest('hex')
    }
  }
  return async function digestOnTheWeb(content) {
    const bytes = await crypto.subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>)
    return encodeHex(new Uint8Array(bytes))
  }
}
