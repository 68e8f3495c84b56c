/**
 * Runs a suite with `node:crypto` and with WebCrypto. Only the platform's offer changes: the code that verifies is never mocked.
 */
import { afterEach, beforeEach, describe, vi } from 'vitest'

/** Runs a suite twice: as on Node, and as on a runtime without `node:crypto`. */
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
