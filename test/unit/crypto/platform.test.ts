/** Detection of `node:crypto` without importing it. */
import { afterEach, expect, it, test, vi } from 'vitest'
import { findNodeCrypto } from '../../../src/crypto/platform.js'

afterEach(() => {
  vi.unstubAllGlobals()
})

test('finds node:crypto on Node', () => {
  expect(findNodeCrypto()).toBe(process.getBuiltinModule('node:crypto'))
})

it.each([
  ['no process', undefined],
  ['a process without getBuiltinModule (Node before 20.16)', {}],
  ['a process without node:crypto', { getBuiltinModule: () => undefined }],
  ['a stub without createHmac', { getBuiltinModule: () => ({ randomUUID: () => '' }) }],
  [
    'a process whose functions throw (the edge runtime of Next.js)',
    {
      getBuiltinModule: () => {
        throw new Error('not supported')
      },
    },
  ],
])('finds none with %s', (_, host) => {
  vi.stubGlobal('process', host)
  expect(findNodeCrypto()).toBeUndefined()
})

test('finds none in workerd, because WebCrypto is faster there than the node:crypto of `nodejs_compat`', () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  expect(findNodeCrypto()).toBeUndefined()
})

test('finds node:crypto without a navigator, as on Node 20', () => {
  vi.stubGlobal('navigator', undefined)
  expect(findNodeCrypto()).toBe(process.getBuiltinModule('node:crypto'))
})
