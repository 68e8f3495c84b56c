/**
 * `context.transaction` of the Postgres driver: the handler's writes and its checkpoint in one transaction, on a connection of the pool.
 */
import type { PoolClient } from 'pg'
import { type Clock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { BorrowedConnection, PostgresConnections } from './connection.js'
import { CLAIM_LOST, TRANSACTION_ENDED } from './records.js'
import { asError, awaitResponse, isStatementError, RESPONSE_LIMIT_MS } from './response.js'
import { createTurns } from './turns.js'

/**
 * `context.transaction` with this store: runs a function on a connection of the pool, inside a transaction (READ COMMITTED), and commits
 * its writes together with the handler's checkpoint. What the function throws rolls back both. BEGIN, COMMIT and ROLLBACK are the store's.
 *
 * Rejects with `lease_lost` when another worker has claimed the delivery since, and with `handler_timeout` after `transactionLimitMs`;
 * nothing is written then. Rejects with `transaction_ended` when the function sent COMMIT or ROLLBACK itself; its handler is not marked as done.
 */
export type PostgresTransaction = <Result>(work: (tx: PoolClient) => Promise<Result>) => Promise<Result>

/** What transactions are run with. */
export interface TransactionMeans {
  readonly connections: PostgresConnections
  readonly clock: Clock
  /** At most so many transactions at once; the others wait for their turn, and the pool's other connections are left for claims. */
  readonly maxTransactions: number
  /** How long one may take, in milliseconds. */
  readonly transactionLimitMs: number
}

/** What opens and what commits a transaction; `quote` makes a text a literal. */
interface TransactionMessages {
  begin(quote: (text: string) => string): string
  commit(quote: (text: string) => string): string
}

/** Runs transactions of one store. */
export interface Transactions {
  /** Runs `work` between two messages to the database. */
  run<Result>(work: (tx: PoolClient) => Promise<Result>, messages: TransactionMessages): Promise<Result>
}

/** How long a transaction waits for a connection while others than this store use up the pool. */
const CONNECTION_LIMIT_MS = 30_000

/** Makes the transactions of one store. */
export function createTransactions(means: TransactionMeans): Transactions {
  const turns = createTurns(means.maxTransactions, means.clock)
  return {
    async run(work, messages) {
      if (!(await turns.take(means.transactionLimitMs))) throw timedOut(means.transactionLimitMs)
      try {
        return await transact(means, work, messages)
      } finally {
        turns.give()
      }
    },
  }
}

async function transact<Result>(
  means: TransactionMeans,
  work: (tx: PoolClient) => Promise<Result>,
  { begin, commit }: TransactionMessages,
): Promise<Result> {
  const { clock, transactionLimitMs } = means
  const connection = await open(means, begin)
  const { client, giveBack } = connection
  const settled = await withTimeout(clock, transactionLimitMs, async () => {
    const result = await work(client)
    await client.query(commit((text) => client.escapeLiteral(text)))
    return result
  })
  if (settled.status === 'value') {
    giveBack()
    return settled.value
  }
  if (settled.status === 'late') {
    const error = timedOut(transactionLimitMs)
    // Closing the connection rolls back.
    giveBack(error)
    throw error
  }
  await rollBack(clock, connection)
  throw refusalOf(settled.error) ?? settled.error
}

/** Opens a transaction. Nothing has happened in it yet, so that a connection that broke or fell silent is left for another, once. */
async function open(
  { connections, clock, transactionLimitMs }: TransactionMeans,
  begin: TransactionMessages['begin'],
): Promise<BorrowedConnection> {
  for (let isRepeated = false; ; isRepeated = true) {
    const connection = await connections.borrow(CONNECTION_LIMIT_MS)
    const { client, giveBack } = connection
    const ask = () => client.query(begin((text) => client.escapeLiteral(text)))
    const response = await awaitResponse(clock, ask, Math.min(RESPONSE_LIMIT_MS, transactionLimitMs))
    if (response.status === 'value') return connection
    giveBack(asError(response.error))
    if (isRepeated || isStatementError(response.error)) throw response.error
  }
}

function timedOut(limitMs: number): WebhookError<'handler_timeout'> {
  return new WebhookError('handler_timeout', `A transaction did not end within ${limitMs} ms.`)
}

/** A connection that does not answer is closed, which rolls back too. */
async function rollBack(clock: Clock, { client, giveBack }: BorrowedConnection): Promise<void> {
  const response = await awaitResponse(clock, () => client.query('ROLLBACK'))
  giveBack(response.status === 'value' ? undefined : asError(response.error))
}

/** What the commit was refused for by this driver, rather than by the database. */
function refusalOf(error: unknown): WebhookError | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '22P02') return undefined
  if (error.message.includes(CLAIM_LOST)) {
    const message = 'Another worker has claimed the delivery, or the try was ended; the transaction was rolled back.'
    return new WebhookError('lease_lost', message)
  }
  if (!error.message.includes(TRANSACTION_ENDED)) return undefined
  const message =
    'The function ended the transaction it was given, so its writes and its checkpoint are not committed together. ' +
    'BEGIN, COMMIT and ROLLBACK are the store’s; a query builder’s own transaction() sends them too.'
  return new WebhookError('transaction_ended', message)
}
