/** Which crypto a runtime has: found where it is, and never a reason to fail where it only seems to be. */
import { describe, expect, it } from 'vitest'
import { findNodeCrypto } from '../../../src/crypto/platform.js'

/** What is found while the global `process` is another; synchronous, so nothing else sees it. */
function findWith(process: unknown): unknown {
  const original = globalThis.process
  Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true })
  try {
    return findNodeCrypto()
  } finally {
    Object.defineProperty(globalThis, 'process', { value: original, configurable: true, writable: true })
  }
}

describe('the crypto of the platform', () => {
  it('is node:crypto on Node', () => {
    expect(findNodeCrypto()).toBe(process.getBuiltinModule('node:crypto'))
  })

  it.each([
    ['there is no process', undefined],
    ['process has no getBuiltinModule', { env: {} }],
    ['the module is not built in', { getBuiltinModule: () => undefined }],
    ['the module is a stub', { getBuiltinModule: () => ({}) }],
  ])('is not node:crypto where %s', (_, process) => {
    expect(findWith(process)).toBeUndefined()
  })

  it('is not node:crypto where asking throws, as in the edge runtime of Next.js', () => {
    const getBuiltinModule = () => {
      throw new Error('A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.')
    }
    expect(findWith({ getBuiltinModule })).toBeUndefined()
  })
})
