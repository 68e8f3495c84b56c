/**
 * The quarantine on an SQLite connection: for the store and the inbox that have one.
 */

import type { MaybePromise } from '../../maybe-promise.js'
import type { Quarantine, QuarantineEntry } from '../store.js'
import type { SqliteSteps } from './connection.js'
import { quarantineStatements, readEntry } from './quarantine.js'
import type { SqlStatement } from './records.js'

/** Runs statements in a transaction of their own. */
export type SqliteStep = <Result>(work: (steps: SqliteSteps) => Result) => MaybePromise<Result>

/** Makes the quarantine in `table`; `schema` is to be run before it is used. */
export function createSqliteQuarantine(
  table: string,
  namespace: string,
  step: SqliteStep,
): { readonly schema: readonly SqlStatement[]; readonly quarantine: Quarantine } {
  const kept = quarantineStatements(table, namespace)
  const run = async (statement: SqlStatement) => void (await step((steps) => steps.run(statement)))
  const read = async (statement: SqlStatement): Promise<readonly QuarantineEntry[]> =>
    step((steps) => steps.rows(statement).map(readEntry))
  const quarantine: Quarantine = Object.assign((entry: QuarantineEntry) => run(kept.put(entry)), {
    discard: (key: string) => run(kept.discard(key)),
    get: async (key: string) => (await read(kept.get(key)))[0],
    list: ({ limit = 100, after = '' } = {}) => read(kept.list(limit, after)),
  })
  return { schema: kept.schema, quarantine }
}
