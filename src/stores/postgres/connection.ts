/**
 * Connections of a pool, as the Postgres driver uses them: every call has a limit, nothing is sent once it is over, a broken connection
 * is thrown away and the call repeated on another, and no 'error' event stays without a listener.
 */
import type { Pool, PoolClient, QueryResult } from 'pg'
import { type Clock, type Deadline, startDeadline, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse, codeOf, isStatementError } from './response.js'
import { createTurns } from './turns.js'

/** One statement and its parameters. */
export interface PostgresStatement {
  /** Prepared once per connection under this name, which stands for this text alone; absent: not prepared. */
  readonly name?: string | undefined
  readonly text: string
  readonly values: readonly unknown[]
  /** Called when it was sent and is given up without an answer: a server that was frozen may execute it later. */
  readonly onUnanswered?: () => void
}

/** A connection that was taken out of the pool. */
export interface BorrowedConnection {
  readonly client: PoolClient
  /** Puts it back; with an error it is closed instead. */
  giveBack(error?: Error): void
}

/** How the driver speaks to its database. */
export interface PostgresConnections {
  /** Runs a statement that may be repeated, starting within the call limit. */
  run(statement: PostgresStatement): Promise<QueryResult>
  /** Does so in turn: however many come at once, they leave a connection to whoever calls `run`. */
  runInTurn(statement: PostgresStatement): Promise<QueryResult>
  /** Takes a connection out of the pool within `limitMs`. */
  borrow(limitMs: number): Promise<BorrowedConnection>
}

/** What connections are made with. */
export interface ConnectionOptions {
  readonly pool: Pool
  readonly clock: Clock
  /** How long a call may wait before it is sent, in milliseconds. */
  readonly callLimitMs: number
  /** How many statements run at once that take turns. */
  readonly turns: number
  /** Makes the tables; called before the first statement, and again when they are gone. */
  readonly migrate: (borrow: PostgresConnections['borrow']) => Promise<void>
}

const UNDEFINED_TABLE = '42P01'
/** A proxy hands every statement to another server connection, where the prepared one is missing or somebody else's. */
const NOT_PREPARED = /^(26000|42P05)$/

/** Makes the connections of one store. */
export function createConnections(options: ConnectionOptions): PostgresConnections {
  const { pool, clock, callLimitMs, migrate } = options
  keepFromCrashing(pool)
  const turns = createTurns(options.turns, clock)
  const borrow = (limitMs: number) => borrowWithin(pool, clock, limitMs)
  let hasTables = false
  let migrating: Promise<void> | undefined
  let prepares = true
  const makeTables = () => {
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
      if (!hasTables) await tablesWithin(clock, deadline, makeTables)
      const { client, giveBack } = await borrow(deadline.left())
      if (deadline.left() <= 0) {
        giveBack()
        throw new WebhookError('store_unavailable', 'The call took too long.')
      }
      const { text, values } = statement
      const query = { name: prepares ? statement.name : undefined, text, values: [...values] }
      const response = await awaitResponse(clock, () => client.query(query))
      if (response.status === 'value') {
        giveBack()
        return response.value
      }
      const isRefused = isStatementError(response.error)
      giveBack(isRefused ? undefined : asError(response.error))
      if (codeOf(response.error) === UNDEFINED_TABLE) hasTables = false
      if (NOT_PREPARED.test(codeOf(response.error))) prepares = false
      if (mayRepeat(response.error) && deadline.left() > 0) continue
      if (!isRefused) statement.onUnanswered?.()
      throw response.error
    }
  }
  return {
    borrow,
    run: (statement) => runWithin(startDeadline(clock, callLimitMs), statement),
    async runInTurn(statement) {
      const deadline = startDeadline(clock, callLimitMs)
      if (!(await turns.take(deadline.left()))) throw noConnection(callLimitMs)
      try {
        return await runWithin(deadline, statement)
      } finally {
        turns.give()
      }
    },
  }
}

function noConnection(limitMs: number): WebhookError<'store_unavailable'> {
  return new WebhookError('store_unavailable', `The pool had no free connection within ${limitMs} ms.`)
}

async function tablesWithin(clock: Clock, deadline: Deadline, makeTables: () => Promise<void>): Promise<void> {
  const settled = await withTimeout(clock, deadline.left(), makeTables)
  if (settled.status === 'error') throw settled.error
  if (settled.status === 'late') throw new WebhookError('store_unavailable', 'The tables were not ready in time.')
}

async function borrowWithin(pool: Pool, clock: Clock, limitMs: number): Promise<BorrowedConnection> {
  let asked: Promise<PoolClient> | undefined
  const settled = await withTimeout(clock, limitMs, () => {
    asked = pool.connect()
    return asked
  })
  if (settled.status === 'error') throw settled.error
  if (settled.status === 'late') {
    // It goes back unused when it comes, so that nothing is executed for a caller that has left.
    asked?.then((client) => client.release(), ignore)
    throw noConnection(limitMs)
  }
  const client = settled.value
  client.on('error', ignore)
  return {
    client,
    giveBack(error) {
      client.off('error', ignore)
      client.release(error)
    },
  }
}

/** Serialization failure, deadlock, no table, no prepared statement: it was not executed, and can be now. */
const RETRY = /^(40001|40P01|42P01|26000|42P05)$/

/** Every statement of this driver changes the same when it is repeated; what was refused for its own sake is refused again. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof WebhookError) return false
  return !isStatementError(error) || RETRY.test(codeOf(error))
}

function ignore(): void {}

const watched = new WeakSet<Pool>()

/** A pool emits the errors of idle connections; without any listener they end the process. The user's own listeners are called as before. */
function keepFromCrashing(pool: Pool): void {
  if (watched.has(pool)) return
  watched.add(pool)
  pool.on('error', ignore)
}
