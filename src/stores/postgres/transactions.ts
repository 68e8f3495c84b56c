/**
 * The transactions of the Postgres store (`context.transaction`): commits a handler's writes and its checkpoint together, on a
 * connection of the pool.
 */
import type { PoolClient } from 'pg'
import { type Clock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse, isStatementError, RESPONSE_LIMIT_MS } from './await-response.js'
import type { BorrowedConnection, PostgresConnections } from './connections.js'
import { CLAIM_LOST, TRANSACTION_ENDED } from './record-statements.js'
import { createSemaphore } from './semaphore.js'

/**
 * The type of `context.transaction` with this store. It runs a function on a connection of the pool, inside a READ COMMITTED
 * transaction, and commits the function's writes together with the handler's checkpoint. If the function throws, both are
 * rolled back. Only the store sends BEGIN, COMMIT and ROLLBACK.
 *
 * Rejects with `lease_lost` if another process has claimed the delivery in the meantime, and with `handler_timeout` after
 * `transactionLimitMs`. In both cases nothing is written. Rejects with `transaction_ended` if the function sent COMMIT or
 * ROLLBACK itself; the handler doesn't count as completed then.
 */
export type PostgresTransaction = <Result>(callback: (tx: PoolClient) => Promise<Result>) => Promise<Result>

/** The options of {@link createTransactions}. */
export interface TransactionOptions {
  readonly connections: PostgresConnections
  readonly clock: Clock
  /** How many transactions may be open at once. Others wait, which leaves the rest of the pool to claims. */
  readonly maxTransactions: number
  /** How long a transaction may stay open, in milliseconds. */
  readonly transactionLimitMs: number
}

/** Builds the messages that begin and commit a transaction. `quote` turns text into an SQL literal. */
interface TransactionMessages {
  begin(quote: (text: string) => string): string
  commit(quote: (text: string) => string): string
}

/** The transactions of one store. */
export interface Transactions {
  /** Runs `callback` between the messages that begin and commit its transaction. */
  run<Result>(callback: (tx: PoolClient) => Promise<Result>, messages: TransactionMessages): Promise<Result>
}

/** How long a transaction waits for a free connection of the pool, in milliseconds. */
const CONNECTION_LIMIT_MS = 30_000

/** Creates the transactions of one store. */
export function createTransactions(options: TransactionOptions): Transactions {
  const { maxTransactions, clock, transactionLimitMs } = options
  const semaphore = createSemaphore(maxTransactions, clock)
  return {
    async run(callback, messages) {
      if (!(await semaphore.acquire(transactionLimitMs))) throw timedOut(transactionLimitMs)
      try {
        return await transact(options, callback, messages)
      } finally {
        semaphore.release()
      }
    },
  }
}

async function transact<Result>(
  options: TransactionOptions,
  callback: (tx: PoolClient) => Promise<Result>,
  { begin, commit }: TransactionMessages,
): Promise<Result> {
  const { clock, transactionLimitMs } = options
  const connection = await open(options, begin)
  const { client, giveBack } = connection
  const ended = await withTimeout(clock, transactionLimitMs, async () => {
    const result = await callback(client)
    await client.query(commit((text) => client.escapeLiteral(text)))
    return result
  })
  if (ended.status === 'value') {
    giveBack()
    return ended.value
  }
  if (ended.status === 'late') {
    const error = timedOut(transactionLimitMs)
    // Closing the connection rolls the transaction back.
    giveBack(error)
    throw error
  }
  await rollBack(clock, connection)
  throw refusalOf(ended.error) ?? ended.error
}

/** Opens a transaction. If the connection fails or is silent, repeats BEGIN once on another one: nothing was written yet. */
async function open(
  { connections, clock, transactionLimitMs }: TransactionOptions,
  begin: TransactionMessages['begin'],
): Promise<BorrowedConnection> {
  for (let isRepeated = false; ; isRepeated = true) {
    const connection = await connections.borrow(CONNECTION_LIMIT_MS)
    const { client, giveBack } = connection
    const send = () => client.query(begin((text) => client.escapeLiteral(text)))
    const response = await awaitResponse(clock, send, Math.min(RESPONSE_LIMIT_MS, transactionLimitMs))
    if (response.status === 'value') return connection
    giveBack(asError(response.error))
    if (isRepeated || isStatementError(response.error)) throw response.error
  }
}

function timedOut(limitMs: number): WebhookError<'handler_timeout'> {
  return new WebhookError(
    'handler_timeout',
    `A transaction did not end within ${limitMs} ms, so nothing was committed. Shorten it, or raise transactionLimitMs.`,
  )
}

/** Rolls back. If the connection does not respond, closes it, which has the same effect. */
async function rollBack(clock: Clock, { client, giveBack }: BorrowedConnection): Promise<void> {
  const response = await awaitResponse(clock, () => client.query('ROLLBACK'))
  giveBack(response.status === 'value' ? undefined : asError(response.error))
}

/** Returns the driver's own error if the driver, not the database, refused the commit. */
function refusalOf(error: unknown): WebhookError | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '22P02') return undefined
  if (error.message.includes(CLAIM_LOST)) {
    const message =
      'Another process has claimed this delivery in the meantime, or the attempt has ended, so the transaction was rolled back.'
    return new WebhookError('lease_lost', message)
  }
  if (!error.message.includes(TRANSACTION_ENDED)) return undefined
  const message =
    'The function ended its transaction itself, so its writes and its checkpoint were not committed together. ' +
    'Do not send BEGIN, COMMIT or ROLLBACK, and do not call transaction() of a query builder: it sends them too. See docs/stores/postgres.md.'
  return new WebhookError('transaction_ended', message)
}
