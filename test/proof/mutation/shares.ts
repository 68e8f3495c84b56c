/** What is mutated, by which tests it must be noticed, and how much of it at least. */

/** A part of the sources that is mutated in one run. */
export interface Share {
  /** What is mutated, from the repository. */
  readonly files: readonly string[]
  /** The tests, as a configuration of vitest. */
  readonly tests: string
  /** The least share of mutants that must be noticed, in percent of those that can be. */
  readonly least: number
  /** Leaves out what only runs while a file is loaded: every test would have to run for each. */
  readonly ignoresStatic: boolean
}

/** Signature, key, claim and completion must be whole: all that a forgery or a repetition has to get past. */
export const SHARES: Readonly<Record<'strict' | 'core', Share>> = {
  strict: {
    files: ['src/delivery/{signature,idempotency-key,claim,completion}.ts', 'src/crypto/*.ts'],
    tests: 'test/proof/mutation/strict.config.ts',
    least: 100,
    ignoresStatic: false,
  },
  core: {
    files: [
      'src/{clock,create-receiver,newest-only,verify}.ts',
      'src/receiver/*.ts',
      'src/delivery/!(signature|idempotency-key|claim|completion).ts',
      'src/events/{shapes,timestamp,event-types}.ts',
      'src/stores/none.ts',
      'src/stores/memory/*.ts',
    ],
    tests: 'test/proof/mutation/core.config.ts',
    least: 95,
    ignoresStatic: true,
  },
}
