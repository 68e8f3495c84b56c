/**
 * The calls of the D1 store. Operations that start in one turn of the event loop, such as the claims of a queue's batch, share one round
 * trip. Creates missing tables and repeats a call whose connection was lost. Every operation has its own result and its own error.
 */
import { WebhookError } from '../../errors.js'
import type { SqlRow, SqlStatement } from '../sqlite/record-statements.js'
import type { D1DatabaseBinding, D1Statement } from './d1-binding.js'

/** Runs statements against the tables of a store. Every statement may be repeated. */
export interface D1Batches {
  /**
   * Runs one statement together with the other operations of this turn, and returns its rows. `after` runs once at the end of the group,
   * however many operations name it.
   */
  group(statement: SqlStatement, after?: SqlStatement): Promise<readonly SqlRow[]>
  /** Runs one statement in a separate call, because it may be large. */
  alone(statement: SqlStatement): Promise<readonly SqlRow[]>
}

/** An operation that waits for the end of the turn. */
interface Operation {
  readonly statement: SqlStatement
  readonly after: SqlStatement | undefined
  readonly resolve: (rows: readonly SqlRow[]) => void
  readonly reject: (error: unknown) => void
}

/** A batch is one transaction, which blocks the other operations of the database meanwhile. */
const MAX_GROUP = 50

/** Creates the calls to a database. `table` is the name for messages, and `schema` creates the tables if they are missing. */
export function createBatches(database: D1DatabaseBinding, table: string, schema: readonly SqlStatement[]): D1Batches {
  let waiting: Operation[] = []
  const call = (statements: readonly SqlStatement[]) => callDatabase(database, table, schema, statements)
  const alone = async (statement: SqlStatement) => (await call([statement]))[0] ?? []
  return {
    alone,
    group: (statement, after) =>
      new Promise((resolve, reject) => {
        waiting.push({ statement, after, resolve, reject })
        // A Worker must not wait for a promise of another request. The runtime ends a request's microtasks before it runs another request.
        queueMicrotask(() => {
          const group = waiting
          waiting = []
          for (let start = 0; start < group.length; start += MAX_GROUP) {
            void runGroup(group.slice(start, start + MAX_GROUP), call)
          }
        })
      }),
  }
}

type Call = (statements: readonly SqlStatement[]) => Promise<(readonly SqlRow[])[]>

async function runGroup(group: readonly Operation[], call: Call): Promise<void> {
  const after = new Set(group.flatMap((operation) => operation.after ?? []))
  try {
    const results = await call([...group.map(({ statement }) => statement), ...after])
    for (const [index, { resolve }] of group.entries()) resolve(results[index] ?? [])
  } catch (error) {
    // One faulty statement rolls back the whole group, so each operation gets its own call.
    if (group.length > 1 && isFaulty(error)) for (const operation of group) void runGroup([operation], call)
    else for (const { reject } of group) reject(error)
  }
}

/** Runs statements, and repeats them at most once for each cause: missing tables, and a connection that was lost. */
async function callDatabase(
  database: D1DatabaseBinding,
  table: string,
  schema: readonly SqlStatement[],
  statements: readonly SqlStatement[],
): Promise<(readonly SqlRow[])[]> {
  let missing: readonly SqlStatement[] = []
  for (let isRepeatable = true; ; ) {
    try {
      return (await runBatch(database, [...missing, ...statements])).slice(missing.length)
    } catch (error) {
      // The tables can be dropped at any time, for example by a test that resets the database.
      if (MISSING_TABLE.test(String(error)) && missing.length === 0) missing = schema
      else if (isRepeatable && !isRejected(error)) isRepeatable = false
      else throw explain(error, table)
    }
  }
}

function explain(error: unknown, table: string): unknown {
  if (OVERLOADED.test(String(error))) {
    const message = 'overloaded: D1 refused the operation, because too many operations wait for the database.'
    return new WebhookError('overloaded', message, { cause: error })
  }
  if (!FOREIGN_TABLE.test(String(error))) return error
  const fix = `Pass another name as table, or drop ${table} and ${table}_quarantine. See docs/stores/d1.md.`
  const message = `The tables of d1Store have other columns than expected. ${fix}`
  return new WebhookError('store_unsuitable', message, { cause: error })
}

async function runBatch(
  database: D1DatabaseBinding,
  statements: readonly SqlStatement[],
): Promise<(readonly SqlRow[])[]> {
  const results = await database.batch(statements.map((statement) => prepare(database, statement)))
  return results.map(({ results: rows }) => rows as readonly SqlRow[])
}

/** Prepares a statement with its values. */
export function prepare(database: D1DatabaseBinding, { sql, values }: SqlStatement): D1Statement {
  return database.prepare(sql).bind(...values)
}

const OVERLOADED = /overloaded|too many requests queued/i
const MISSING_TABLE = /no such table/i
const FOREIGN_TABLE = /no such column|has no column named|ON CONFLICT clause does not match/i

/** Whether one of the statements was refused. */
function isFaulty(error: unknown): boolean {
  return /SQLITE_|D1_TYPE_ERROR/.test(String(error))
}

/** Whether a repetition can't help. Any other error may be gone with the next call, as Cloudflare's page "Retry queries" says. */
function isRejected(error: unknown): boolean {
  return isFaulty(error) || OVERLOADED.test(String(error))
}
