// The tests that must notice every mutant of signature, key, claim, completion and crypto: their own unit tests and the published vectors.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/unit/{crypto,delivery}/*.test.ts', 'test/vectors/signature.test.ts'], testTimeout: 60_000 },
})
