/** The parts of D1's own types that the D1 store uses, so that it compiles without Cloudflare's types. */

/** The part of a prepared statement (`D1PreparedStatement`) that the driver uses. */
export interface D1Statement {
  /** Returns the statement with its values. */
  bind(...values: unknown[]): D1Statement
}

/** The part of the result of one statement (`D1Result`) that the driver uses. */
export interface D1StatementResult {
  /** The rows. */
  readonly results: readonly unknown[]
  /** D1's metadata. `changes` is the number of written rows. */
  readonly meta: Readonly<Record<string, unknown>>
}

/** The part of a D1 binding (`D1Database`) or session that the driver uses. */
export interface D1DatabaseBinding {
  /** Prepares one statement. */
  prepare(query: string): D1Statement
  /** Runs statements in one transaction. */
  batch(statements: D1Statement[]): Promise<D1StatementResult[]>
}
