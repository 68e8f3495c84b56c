/**
 * Runs statements on the connections of a pool. Every call has a time limit, and nothing is sent after it. A broken
 * connection is closed, and its call is repeated on another one. Every 'error' event has a listener.
 */
import type { Pool, PoolClient, QueryResult } from 'pg'
import { type Clock, type Deadline, startDeadline, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse, codeOf, isStatementError } from './await-response.js'
import { createSemaphore } from './semaphore.js'

/** One statement and its parameters. */
export interface PostgresStatement {
  /** The name of the prepared statement, unique to this text. Without a name the statement isn't prepared. */
  readonly name?: string | undefined
  readonly text: string
  readonly values: readonly unknown[]
  /** Called when the statement was sent but got no response. A frozen server may still execute it later. */
  readonly onNoResponse?: () => void
}

/** A connection that was borrowed from the pool. */
export interface BorrowedConnection {
  readonly client: PoolClient
  /** Returns the connection to the pool, or closes it if there is an error. */
  giveBack(error?: Error): void
}

/** The connections of one store. */
export interface PostgresConnections {
  /** Runs a repeatable statement. It is sent within the call limit or not at all. */
  run(statement: PostgresStatement): Promise<QueryResult>
  /** Does the same with limited concurrency, which leaves a connection free for callers of `run`. */
  runQueued(statement: PostgresStatement): Promise<QueryResult>
  /** Borrows a connection from the pool within `limitMs`. */
  borrow(limitMs: number): Promise<BorrowedConnection>
}

/** The options of {@link createConnections}. */
export interface ConnectionOptions {
  readonly pool: Pool
  readonly clock: Clock
  /** How long a call may wait before its statement is sent, in milliseconds. */
  readonly callLimitMs: number
  /** How many statements of `runQueued` may run at once. */
  readonly maxQueued: number
  /** Creates the tables. Called before the first statement, and again if a table is missing. */
  readonly migrate: (borrow: PostgresConnections['borrow']) => Promise<void>
}

const UNDEFINED_TABLE = '42P01'
/** A pooling proxy sends each statement to any server connection, where the name is unknown or belongs to another client. */
const NOT_PREPARED = /^(26000|42P05)$/

/** Creates the connections of one store. */
export function createConnections(options: ConnectionOptions): PostgresConnections {
  const { pool, clock, callLimitMs, migrate } = options
  addErrorListener(pool)
  const semaphore = createSemaphore(options.maxQueued, clock)
  const borrow = (limitMs: number) => borrowWithin(pool, clock, limitMs)
  let hasTables = false
  let migrating: Promise<void> | undefined
  let isPreparing = true
  const createTables = () => {
    migrating ??= migrate(borrow)
      .then(() => {
        hasTables = true
      })
      .finally(() => {
        migrating = undefined
      })
    return migrating
  }
  const runWithin = async (deadline: Deadline, statement: PostgresStatement): Promise<QueryResult> => {
    for (;;) {
      if (!hasTables) await waitForTables(clock, deadline, createTables)
      const { client, giveBack } = await borrow(deadline.left())
      if (deadline.left() <= 0) {
        giveBack()
        throw new WebhookError(
          'store_unavailable',
          `The call waited longer than ${callLimitMs} ms, so nothing was sent.`,
        )
      }
      const { text, values } = statement
      const query = { name: isPreparing ? statement.name : undefined, text, values: [...values] }
      const response = await awaitResponse(clock, () => client.query(query))
      if (response.status === 'value') {
        giveBack()
        return response.value
      }
      const isRefused = isStatementError(response.error)
      giveBack(isRefused ? undefined : asError(response.error))
      if (codeOf(response.error) === UNDEFINED_TABLE) hasTables = false
      if (NOT_PREPARED.test(codeOf(response.error))) isPreparing = false
      if (mayRepeat(response.error) && deadline.left() > 0) continue
      if (!isRefused) statement.onNoResponse?.()
      throw response.error
    }
  }
  return {
    borrow,
    run: (statement) => runWithin(startDeadline(clock, callLimitMs), statement),
    async runQueued(statement) {
      const deadline = startDeadline(clock, callLimitMs)
      if (!(await semaphore.acquire(deadline.left()))) throw noConnection(callLimitMs)
      try {
        return await runWithin(deadline, statement)
      } finally {
        semaphore.release()
      }
    },
  }
}

function noConnection(limitMs: number): WebhookError<'store_unavailable'> {
  const message = `The pool had no free connection within ${limitMs} ms. Raise the pool's max, or release connections sooner. See docs/stores/postgres.md.`
  return new WebhookError('store_unavailable', message)
}

async function waitForTables(clock: Clock, deadline: Deadline, createTables: () => Promise<void>): Promise<void> {
  const result = await withTimeout(clock, deadline.left(), createTables)
  if (result.status === 'error') throw result.error
  if (result.status === 'late') {
    throw new WebhookError(
      'store_unavailable',
      'The tables were not created in time. Creation continues; retry the call.',
    )
  }
}

async function borrowWithin(pool: Pool, clock: Clock, limitMs: number): Promise<BorrowedConnection> {
  let pending: Promise<PoolClient> | undefined
  const result = await withTimeout(clock, limitMs, () => {
    pending = pool.connect()
    return pending
  })
  if (result.status === 'error') throw result.error
  if (result.status === 'late') {
    // A late connection goes back unused, because its caller has already been rejected.
    pending?.then((client) => client.release(), ignore)
    throw noConnection(limitMs)
  }
  const client = result.value
  client.on('error', ignore)
  return {
    client,
    giveBack(error) {
      client.off('error', ignore)
      client.release(error)
    },
  }
}

/** Serialization failure, deadlock, missing table, missing or foreign prepared statement: nothing was executed. */
const NOT_EXECUTED = /^(40001|40P01|42P01|26000|42P05)$/

/** Whether to repeat a statement. All statements of this driver are repeatable, but a refused one would be refused again. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof WebhookError) return false
  return !isStatementError(error) || NOT_EXECUTED.test(codeOf(error))
}

function ignore(): void {}

const watched = new WeakSet<Pool>()

/** Errors of idle connections are emitted on the pool, and without a listener they end the process. Existing listeners still run. */
function addErrorListener(pool: Pool): void {
  if (watched.has(pool)) return
  watched.add(pool)
  pool.on('error', ignore)
}
