// Verifiers that are changed for a control: one that leaks, so that it is seen that a leak would be found; and the choice of WebCrypto.
import crypto from 'node:crypto'
import type { Planting } from './measure.js'

/** As where `node:crypto` is not built in. */
export const ON_WEBCRYPTO: Planting = () => replaceBuiltin(() => undefined)

/** `===` on the digits, in place of the comparison in constant time. */
export const WITH_EQUALS: Planting = () => replaceBuiltin(() => LEAKING)

/** A loop that ends at the first byte that differs. */
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
