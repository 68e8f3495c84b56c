/** Hides the one-shot `hash` of `node:crypto`, so that the HMAC uses `createHmac`. Digests are still computed with `hash`. */
import * as crypto from 'node:crypto'
import type { NodeCrypto } from '../../src/crypto/platform.js'

/** Returns the platform's crypto without `hash`. */
export function cryptoWithoutHash(): NodeCrypto {
  const { hash, ...rest } = crypto
  const createHash = () => ({ update: (data: Uint8Array) => ({ digest: () => hash('sha256', data, 'hex') }) })
  return { ...rest, createHash } as unknown as NodeCrypto
}

/** Replaces `node:crypto` for every later caller of `process.getBuiltinModule`. */
export function hideHash(): void {
  const getBuiltinModule = process.getBuiltinModule.bind(process)
  const without = cryptoWithoutHash()
  process.getBuiltinModule = ((name: string) =>
    name === 'node:crypto' ? without : getBuiltinModule(name)) as typeof process.getBuiltinModule
}
