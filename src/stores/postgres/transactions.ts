/**
 * The transactions of the Postgres store (`context.transaction`): commits a handler's writes and its checkpoint together, on a
 * connection of the pool.
 */
import type { PoolClient } from 'pg'
import { type Clock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse, RESPONSE_LIMIT_MS } from './await-response.js'
import type { BorrowedConnection } from './borrowing.js'
import type { PostgresConnections } from './connections.js'
import type { PostgresClient } from './pool.js'
import { CLAIM_LOST, TRANSACTION_ENDED } from './record-statements.js'
import { readRows } from './rows.js'
import { createSemaphore } from './semaphore.js'
import { codeOf, mayRepeat, noConnection, READ_ONLY } from './server-errors.js'
import { shieldClient, transactionEnded } from './shielded-client.js'

/**
 * The type of `context.transaction` with this store. It runs a function on a client of the pool, inside a READ COMMITTED
 * transaction, and commits the function's writes together with the handler's checkpoint. If the function throws, both are
 * rolled back. Only the store sends BEGIN, COMMIT and ROLLBACK: the client refuses them, ignores `release()`, and can't be used
 * after the function has ended.
 *
 * Rejects with `lease_lost` if another process has claimed the delivery in the meantime, and with `handler_timeout` after
 * `transactionLimitMs`. In both cases nothing is written. Rejects with `transaction_ended` if the function sent COMMIT or
 * ROLLBACK itself; the handler doesn't count as completed then.
 */
export type PostgresTransaction<Client = PoolClient> = <Result>(
  callback: (tx: Client) => Promise<Result>,
) => Promise<Result>

/** The options of {@link createTransactions}. */
export interface TransactionOptions<Client extends PostgresClient> {
  readonly connections: PostgresConnections<Client>
  readonly clock: Clock
  /** How many transactions may be open at once. Others wait, which leaves the rest of the pool to claims. */
  readonly maxTransactions: number
  /** How long a transaction may stay open, in milliseconds. */
  readonly transactionLimitMs: number
  /** How many connections the pool may open. */
  readonly maxConnections: number
}

/** Builds the messages that begin and commit a transaction. `quote` turns text into an SQL literal. */
interface TransactionMessages {
  begin(quote: (text: string) => string): string
  commit(quote: (text: string) => string): string
}

/** The transactions of one store. */
export interface Transactions<Client> {
  /** Runs `callback` between the messages that begin and commit its transaction. */
  run<Result>(callback: (tx: Client) => Promise<Result>, messages: TransactionMessages): Promise<Result>
}

/** How long a transaction waits for a free connection of the pool, in milliseconds. */
const CONNECTION_LIMIT_MS = 30_000

/** Creates the transactions of one store. */
export function createTransactions<Client extends PostgresClient>(
  options: TransactionOptions<Client>,
): Transactions<Client> {
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

async function transact<Client extends PostgresClient, Result>(
  options: TransactionOptions<Client>,
  callback: (tx: Client) => Promise<Result>,
  { begin, commit }: TransactionMessages,
): Promise<Result> {
  const { clock, transactionLimitMs } = options
  const connection = await open(options, begin)
  const { client, giveBack } = connection
  const shield = shieldClient(client)
  const ended = await withTimeout(clock, transactionLimitMs, async () => {
    try {
      const result = await callback(shield.client)
      shield.close()
      await client.query({ text: commit((text) => client.escapeLiteral(text)) })
      return result
    } finally {
      shield.close()
    }
  })
  shield.close()
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
  throw shield.refusalIn(ended.error) ?? refusalOf(ended.error) ?? ended.error
}

/**
 * Opens a transaction. If the connection fails, is silent or is read-only, repeats BEGIN on another one: nothing was written
 * yet. A silent connection is repeated once, because it takes 10 s.
 */
async function open<Client extends PostgresClient>(
  { connections, clock, transactionLimitMs, maxConnections }: TransactionOptions<Client>,
  begin: TransactionMessages['begin'],
): Promise<BorrowedConnection<Client>> {
  let silences = 0
  for (let repeats = 0; ; repeats++) {
    const connection = await connections.borrow(CONNECTION_LIMIT_MS)
    if (!connection) throw noConnection(CONNECTION_LIMIT_MS)
    const { client, giveBack } = connection
    const send = () =>
      readBegin(
        client,
        begin((text) => client.escapeLiteral(text)),
      )
    const response = await awaitResponse(clock, send, Math.min(RESPONSE_LIMIT_MS, transactionLimitMs))
    if (response.status === 'value') return connection
    const { error } = response
    giveBack(asError(error))
    if (error instanceof WebhookError) silences++
    const isWorthwhile = error instanceof WebhookError ? silences < 2 : mayRepeat(error)
    if (repeats > maxConnections || !isWorthwhile) throw error
  }
}

/** Sends BEGIN. A read-only server would refuse only the function's first write, when it is too late for another connection. */
async function readBegin(client: PostgresClient, text: string): Promise<void> {
  const { rows } = await readRows(client, { text, values: [] })
  if (rows[0]?.[1] !== 'on') return
  throw Object.assign(new Error('The connection is read-only, so it was closed.'), { code: READ_ONLY })
}

function timedOut(limitMs: number): WebhookError<'handler_timeout'> {
  return new WebhookError(
    'handler_timeout',
    `A transaction did not end within ${limitMs} ms, so nothing was committed. Shorten it, or raise transactionLimitMs.`,
  )
}

/** Rolls back. If the connection does not respond, closes it, which has the same effect. */
async function rollBack(clock: Clock, { client, giveBack }: BorrowedConnection): Promise<void> {
  const response = await awaitResponse(clock, () => client.query({ text: 'ROLLBACK' }))
  giveBack(response.status === 'value' ? undefined : asError(response.error))
}

/** Returns the driver's own error if the driver, not the database, refused the commit. */
function refusalOf(error: unknown): WebhookError | undefined {
  if (!(error instanceof Error) || codeOf(error) !== '22P02') return undefined
  if (error.message.includes(CLAIM_LOST)) {
    const message =
      'Another process has claimed this delivery in the meantime, or the attempt has ended, so the transaction was rolled back.'
    return new WebhookError('lease_lost', message)
  }
  if (!error.message.includes(TRANSACTION_ENDED)) return undefined
  return transactionEnded(
    'The function ended its transaction itself, so its writes and its checkpoint were not committed together.',
  )
}
