/** Changes of the verifier: leaking comparisons as controls, and the choice of WebCrypto. */
import crypto from 'node:crypto'
import type { Planting } from './measure.js'

/** Hides `node:crypto`, so that WebCrypto is used. */
export const ON_WEBCRYPTO: Planting = () => replaceBuiltin(() => undefined)

/** Compares with `===` instead of in constant time. */
export const WITH_EQUALS: Planting = () => replaceBuiltin(() => LEAKING)

/** Compares with a loop that stops at the first difference. */
export const WITH_EARLY_EXIT: Planting = () => replaceBuiltin(() => EARLY)

const LEAKING = {
  ...crypto,
  timingSafeEqual: (one: Buffer, other: Buffer) => one.toString('latin1') === other.toString('latin1'),
}
const EARLY = {
  ...crypto,
  timingSafeEqual(one: Uint8Array, other: Uint8Array) {
    for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
    return true
  },
}

function replaceBuiltin(get: () => unknown): () => void {
  const { getBuiltinModule } = process
  process.getBuiltinModule = ((name: string) => (name === 'node:crypto' ? get() : getBuiltinModule(name))) as never
  return () => {
    process.getBuiltinModule = getBuiltinModule
  }
}
