// What a mutant of signature, key, claim, completion and crypto must survive: their own tests, and the published vectors.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/unit/{crypto,delivery}/*.test.ts', 'test/vectors/signature.test.ts'], testTimeout: 60_000 },
})
