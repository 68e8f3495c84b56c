/**
 * The two ways to compute: `node:crypto` and WebCrypto. A suite runs over both by choosing what the platform offers; nothing that
 * verifies is replaced.
 */
import { afterEach, beforeEach, describe, vi } from 'vitest'

/** Runs a suite twice: as on Node, and as where `node:crypto` is not built in. */
export function describeOnBothCryptos(name: string, body: (path: 'node:crypto' | 'WebCrypto') => void): void {
  describe(`${name}, on node:crypto`, () => body('node:crypto'))
  describe(`${name}, on WebCrypto`, () => {
    beforeEach(hideNodeCrypto)
    afterEach(() => {
      vi.restoreAllMocks()
    })
    body('WebCrypto')
  })
}

/** Makes this process look like a runtime without `node:crypto`, until mocks are restored. */
export function hideNodeCrypto(): void {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
}
