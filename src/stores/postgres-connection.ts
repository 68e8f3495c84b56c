/**
 * Connections of a pool, as the Postgres driver uses them: every call has a limit, nothing is sent once it is over, a broken connection
 * is thrown away and the call repeated on another, and no 'error' event stays without a listener.
 */
import type { Pool, PoolClient, QueryResult } from 'pg'
import { type Clock, type Deadline, settleWithin, startDeadline } from '../clock.js'
import { WebhookError } from '../errors.js'
import { createTurns } from './postgres-turns.js'

/** One statement and its parameters. */
export interface PostgresStatement {
  /** Prepared once per connection under this name, which stands for this text alone; absent: not prepared. */
  readonly name?: string | undefined
  readonly text: string
  readonly values: readonly unknown[]
}

/** A connection that was taken out of the pool. */
interface BorrowedConnection {
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

/** A statement that was sent is waited for, so that a claim answered late can be given back; a dead connection answers never. */
const ANSWER_LIMIT_MS = 10_000
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
      const answer = await send(client, clock, deadline, prepares ? statement : { ...statement, name: undefined })
      if (answer.status === 'value') {
        giveBack()
        return answer.value
      }
      giveBack(isStatementError(answer.error) ? undefined : asError(answer.error))
      if (codeOf(answer.error) === UNDEFINED_TABLE) hasTables = false
      if (NOT_PREPARED.test(codeOf(answer.error))) prepares = false
      if (!mayRepeat(answer.error) || deadline.left() <= 0) throw answer.error
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
  const settled = await settleWithin(clock, deadline.left(), makeTables)
  if (settled.status === 'error') throw settled.error
  if (settled.status === 'late') throw new WebhookError('store_unavailable', 'The tables were not ready in time.')
}

async function borrowWithin(pool: Pool, clock: Clock, limitMs: number): Promise<BorrowedConnection> {
  let asked: Promise<PoolClient> | undefined
  const settled = await settleWithin(clock, limitMs, () => {
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

type Answer =
  | { readonly status: 'value'; readonly value: QueryResult }
  | { readonly status: 'error'; readonly error: unknown }

async function send(
  client: PoolClient,
  clock: Clock,
  deadline: Deadline,
  statement: PostgresStatement,
): Promise<Answer> {
  if (deadline.left() <= 0)
    return { status: 'error', error: new WebhookError('store_unavailable', 'The call took too long.') }
  const query = { name: statement.name, text: statement.text, values: [...statement.values] }
  const settled = await settleWithin(clock, ANSWER_LIMIT_MS, () => client.query(query))
  if (settled.status !== 'late') return settled
  const message = `Postgres did not answer within ${ANSWER_LIMIT_MS} ms; the connection was closed.`
  return { status: 'error', error: new WebhookError('store_unavailable', message) }
}

/** SQLSTATE classes after which a connection is of no more use: its failure (08), the server's end (57P), its own (25P: idle too long). */
const CONNECTION_LOST = /^(08|57P|25P)/
/** Serialization failure, deadlock, no table, no prepared statement: it was not executed, and can be now. */
const TRY_AGAIN = /^(40001|40P01|42P01|26000|42P05)$/

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** Whether the server refused the statement and the connection is as good as before. */
function isStatementError(error: unknown): boolean {
  const code = codeOf(error)
  return code.length === 5 && !CONNECTION_LOST.test(code)
}

/** Every statement of this driver changes the same when it is repeated; what was refused for its own sake is refused again. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof WebhookError) return false
  return !isStatementError(error) || TRY_AGAIN.test(codeOf(error))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function ignore(): void {}

const watched = new WeakSet<Pool>()

/** A pool emits the errors of idle connections; without any listener they end the process. The user's own listeners are called as before. */
function keepFromCrashing(pool: Pool): void {
  if (watched.has(pool)) return
  watched.add(pool)
  pool.on('error', ignore)
}
