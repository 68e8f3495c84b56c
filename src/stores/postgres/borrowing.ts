/** Borrows connections from a pool with a time limit, skips those inside a transaction, and gives each back exactly once. */
import { type Clock, startDeadline, withTimeout } from '../../clock.js'
import { isInTransaction, LEAKED, type PostgresClient, type PostgresPool, watchSession } from './pool.js'

/** A connection that was borrowed from the pool. */
export interface BorrowedConnection<Client extends PostgresClient = PostgresClient> {
  readonly client: Client
  /** Returns the connection to the pool, or closes it if there is an error. */
  giveBack(error?: Error): void
}

/** Borrows a connection within a time limit. */
export type Borrow<Client extends PostgresClient = PostgresClient> = (
  limitMs: number,
) => Promise<BorrowedConnection<Client> | undefined>

/** Borrows a connection that is outside of any transaction, or returns `undefined` if none is free within `limitMs`. */
export async function borrowWithin<Client extends PostgresClient>(
  pool: PostgresPool<Client>,
  clock: Clock,
  limitMs: number,
): Promise<BorrowedConnection<Client> | undefined> {
  const deadline = startDeadline(clock, limitMs)
  for (;;) {
    const client = await connectWithin(pool, clock, deadline.left())
    if (!client) return undefined
    watchSession(client)
    if (!isInTransaction(client)) return toConnection(client)
    client.release(new Error(LEAKED))
  }
}

async function connectWithin<Client extends PostgresClient>(
  pool: PostgresPool<Client>,
  clock: Clock,
  limitMs: number,
): Promise<Client | undefined> {
  let pending: Promise<Client> | undefined
  const result = await withTimeout(clock, limitMs, () => {
    pending = pool.connect()
    return pending
  })
  if (result.status === 'error') throw result.error
  if (result.status === 'value') return result.value
  // A late client goes back unused, because its caller has already been rejected.
  pending?.then((client) => client.release(), ignore)
  return undefined
}

function toConnection<Client extends PostgresClient>(client: Client): BorrowedConnection<Client> {
  client.on('error', ignore)
  return {
    client,
    giveBack(error) {
      client.off('error', ignore)
      client.release(error)
    },
  }
}

function ignore(): void {}
