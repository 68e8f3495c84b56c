// What a mutant of the core must survive: the tests that need nothing but the sources. Left out is what looks at something else than
// the core, and what is long and sees nothing that the others do not: the simulation, fuzzed secrets, the documented function.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,flow,vectors}/**/*.test.ts'],
    exclude: [
      'test/unit/{api,cli,proof,testing}/**',
      'test/unit/stores/postgres/**',
      'test/vectors/misconfigurations.test.ts',
      'test/flow/simulation.test.ts',
      'test/flow/every-fault.test.ts',
      'test/flow/secret-fuzz.test.ts',
      'test/vectors/documented-verifier.test.ts',
    ],
    // A mutant may leave a promise that nobody settles: no test that computes takes as long.
    testTimeout: 10_000,
  },
})
