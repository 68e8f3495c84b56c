/** The test runner that the conformance suites register their tests with. */

/** A test runner. The functions of vitest, jest and node:test fit without a wrapper. */
export interface TestRunner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** Registers a test. Its `skip`, if it has one, registers a skipped test. */
  readonly test: TestFunction
}

/** A runner's function that registers a test. A suite passes a timeout in milliseconds only for a test that takes seconds. */
export interface TestFunction {
  (name: string, body: () => Promise<void>, timeoutMs?: number): unknown
  /** Registers a skipped test. */
  readonly skip?: ((name: string, body: () => Promise<void>) => unknown) | undefined
}
