/** The two kinds of operations of the store: claims, and updates of claimed records. Each kind is grouped separately. */
import type { ClaimRequest } from '../store.js'
import { type ClaimedRecord, isUnchangedBy, readRecord } from './claim-results.js'
import { groupStatements } from './group-statements.js'
import type { OperationKind } from './operations.js'
import { type RecordUpdate, recordStatements } from './record-statements.js'
import type { PostgresTables } from './tables.js'

/** Claims. A later claim of a key in the same group is decided by the result of the first one. */
export function claimKind(
  tables: PostgresTables,
  namespace: string,
  onAbandoned: (request: ClaimRequest) => void,
): OperationKind<ClaimRequest, ClaimedRecord> {
  return {
    one: recordStatements(tables, namespace).claim,
    readOne({ rows: [row] }) {
      if (row) return readRecord(row)
      throw new Error(
        'The claim returned no row, so a rule, a trigger or row-level security on the table suppressed it. Remove it from the ' +
          'table of the store, or exempt the role from row-level security. Compare the table with the SQL that postgresTablesSql() ' +
          'returns. See docs/stores/postgres.md.',
      )
    },
    many: groupStatements(tables, namespace).claims,
    readMany: ({ rows }) => new Map(rows.map(readRecord).map((record) => [record.key, record])),
    isCompatible: (first, other) =>
      first.leaseMs === other.leaseMs &&
      first.attemptGapMs === other.attemptGapMs &&
      (first.reprocess ?? false) === (other.reprocess ?? false),
    isDecidedBy: isUnchangedBy,
    onAbandoned,
  }
}

/** Renewals, completions and releases. `true` if the token still held its record. */
export function updateKind(tables: PostgresTables, namespace: string): OperationKind<RecordUpdate, boolean> {
  return {
    one: recordStatements(tables, namespace).update,
    readOne: ({ count }) => count === 1,
    many: groupStatements(tables, namespace).updates,
    readMany: ({ rows }) => new Map(rows.map(([key]) => [String(key), true])),
  }
}
