/** The shares of the sources that the mutation proof mutates, each with the tests that must notice and the least score. */

/** A part of the sources that is mutated in one run. */
export interface Share {
  /** The globs of the files to mutate, from the root of the repository. */
  readonly files: readonly string[]
  /** The vitest configuration of the tests. */
  readonly tests: string
  /** The least score: the percentage of noticed mutants, without equivalent ones. */
  readonly least: number
  /** Whether to leave out mutants that only run while a file is loaded. Each of them needs a run of every test. */
  readonly ignoresStatic: boolean
}

/** Every mutant of signature, key, claim, completion and crypto must be noticed, because a forgery or a repeated delivery has to pass these. */
export const SHARES: Readonly<Record<'strict' | 'core', Share>> = {
  strict: {
    files: ['src/delivery/{signature,idempotency-key,claim,completion}.ts', 'src/crypto/*.ts'],
    tests: 'test/proof/mutation/strict.config.ts',
    least: 100,
    ignoresStatic: false,
  },
  core: {
    files: [
      'src/{clock,create-receiver,maybe-promise,newest-only,verify}.ts',
      'src/receiver/*.ts',
      'src/delivery/!(signature|idempotency-key|claim|completion).ts',
      'src/events/*.ts',
      'src/stores/none.ts',
      'src/stores/memory/*.ts',
    ],
    tests: 'test/proof/mutation/core.config.ts',
    least: 95,
    ignoresStatic: true,
  },
}
