/** `node:crypto` as it would be without its one-shot `hash` for the HMAC, so that `createHmac` is used; fingerprints are made as before. */
import * as crypto from 'node:crypto'
import type { NodeCrypto } from '../../src/crypto/platform.js'

/** The platform's crypto, but for `hash`. */
export function cryptoWithoutHash(): NodeCrypto {
  const { hash, ...rest } = crypto
  const createHash = () => ({ update: (data: Uint8Array) => ({ digest: () => hash('sha256', data, 'hex') }) })
  return { ...rest, createHash } as unknown as NodeCrypto
}

/** From now on whoever asks the platform for `node:crypto` gets that. */
export function hideHash(): void {
  const getBuiltinModule = process.getBuiltinModule.bind(process)
  const without = cryptoWithoutHash()
  process.getBuiltinModule = ((name: string) =>
    name === 'node:crypto' ? without : getBuiltinModule(name)) as typeof process.getBuiltinModule
}
