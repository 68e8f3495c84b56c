/** Whether a runtime has `node:crypto`, found out without importing it. */
import { afterEach, expect, it, test, vi } from 'vitest'
import { findNodeCrypto } from '../../../src/crypto/platform.js'

afterEach(() => {
  vi.unstubAllGlobals()
})

test('on Node it is the real one', () => {
  expect(findNodeCrypto()).toBe(process.getBuiltinModule('node:crypto'))
})

it.each([
  ['no process', undefined],
  ['a process without getBuiltinModule (Node before 20.16)', {}],
  ['a process that has nothing', { getBuiltinModule: () => undefined }],
  ['a stub without createHmac', { getBuiltinModule: () => ({ randomUUID: () => '' }) }],
  [
    'a process whose functions throw (the edge runtime of Next.js)',
    {
      getBuiltinModule: () => {
        throw new Error('not supported')
      },
    },
  ],
])('%s: there is none', (_, host) => {
  vi.stubGlobal('process', host)
  expect(findNodeCrypto()).toBeUndefined()
})

test('in workerd there is none, though `nodejs_compat` offers one: WebCrypto is quicker there', () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  expect(findNodeCrypto()).toBeUndefined()
})

test('without a navigator, as on Node 20, it is still found', () => {
  vi.stubGlobal('navigator', undefined)
  expect(findNodeCrypto()).toBe(process.getBuiltinModule('node:crypto'))
})
