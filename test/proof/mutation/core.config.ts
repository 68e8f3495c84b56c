// The tests that must notice mutants of the core: all tests that need only the sources. Excluded are tests of other subjects, and long tests
// that notice nothing more, such as the simulation, the fuzzed secrets and the documented function.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,flow,vectors}/**/*.test.ts'],
    exclude: [
      'test/unit/{api,cli,proof,testing}/**',
      'test/unit/stores/postgres/**',
      'test/vectors/misconfigurations.test.ts',
      'test/flow/{campaign,every-fault,leaks,response-time,schedules,secret-fuzz,simulation,untrusted-values}.test.ts',
      'test/vectors/documented-verifier.test.ts',
    ],
    // Tests with many deliveries, of which a mutant needs only the first.
    testNamePattern: /^(?!.*(100,000|does not grow with the number of deliveries))/,
    // As in the project `unit`. Loading each file's modules again takes longer than its tests.
    isolate: false,
    // A mutant may leave a promise pending. Even the slowest of these tests takes less time.
    testTimeout: 10_000,
  },
})
