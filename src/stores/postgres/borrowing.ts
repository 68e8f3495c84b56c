/** Borrows connections from a pool with a time limit, skips those inside a transaction, and gives each back exactly once. */
import { type Clock, startDeadline, withTimeout } from '../../clock.js'
import {
  isInTransaction,
  LEAKED,
  maxConnections,
  type PostgresClient,
  type PostgresPool,
  watchSession,
} from './pool.js'

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

/** Returns a function that borrows connections outside of any transaction. */
export function createBorrow<Client extends PostgresClient>(pool: PostgresPool<Client>, clock: Clock): Borrow<Client> {
  const requests = createRequests(pool)
  return async (limitMs) => {
    const deadline = startDeadline(clock, limitMs)
    while (deadline.left() > 0) {
      const request = requests.take()
      const result = await withTimeout(clock, deadline.left(), () => request.client)
      // The failure of an older request says nothing about the server now.
      if (result.status === 'error' && request.isReused) continue
      if (result.status === 'error') throw result.error
      if (result.status === 'late') {
        requests.abandon(request)
        return undefined
      }
      const client = result.value
      watchSession(client)
      if (!isInTransaction(client)) return toConnection(client)
      client.release(new Error(LEAKED))
    }
    return undefined
  }
}

interface ClientRequest<Client> {
  readonly client: Promise<Client>
  readonly isQueued: boolean
  isWanted: boolean
  isReused: boolean
}

/**
 * Requests to the pool, which can't be canceled. While the pool is exhausted, an abandoned request serves the next caller, so
 * that requests don't pile up. A client that arrives for no caller goes back unused.
 */
function createRequests<Client extends PostgresClient>(pool: PostgresPool<Client>) {
  const abandoned = new Set<ClientRequest<Client>>()
  return {
    take(): ClientRequest<Client> {
      for (const request of abandoned) {
        abandoned.delete(request)
        request.isWanted = true
        request.isReused = true
        return request
      }
      // A request that opens a connection may hang forever, so it is never reused.
      const isQueued = pool.totalCount >= maxConnections(pool)
      const request = { client: pool.connect(), isQueued, isWanted: true, isReused: false }
      const end = (client?: Client) => {
        if (!request.isWanted) client?.release()
        abandoned.delete(request)
      }
      request.client.then(end, () => end())
      return request
    },
    abandon(request: ClientRequest<Client>): void {
      request.isWanted = false
      if (request.isQueued) abandoned.add(request)
    },
  }
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
