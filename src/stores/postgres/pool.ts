/**
 * The pool: the parts of `pg` that the store uses, as structural types, so that a Pool of `@neondatabase/serverless` fits too.
 */
import { WebhookError } from '../../errors.js'

/** A statement for a client. */
export interface PostgresQuery {
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
  readonly rowMode?: 'array'
  readonly types?: { getTypeParser(): (value: unknown) => string | null }
}

/** A client of the pool. */
export interface PostgresClient {
  /** Sends a statement. */
  query(query: PostgresQuery): Promise<{ rows: unknown[]; rowCount: number | null }>
  /** Quotes a text as an SQL literal. */
  escapeLiteral(text: string): string
  /** Adds a listener for connection errors. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Removes a listener. */
  off(event: 'error', listener: (error: Error) => void): unknown
  /** Returns the client to the pool, or closes it if there is an error. */
  release(error?: Error | boolean): void
}

/** A pool of `pg`, or one with the same methods. `Client` is what `context.transaction` passes to your function. */
export interface PostgresPool<Client extends PostgresClient> {
  /** Lends a client. */
  connect(): Promise<Client>
  /** Lends a client to a callback. The store doesn't use it; it only lets TypeScript infer `Client`. */
  connect(
    callback: (error: Error | undefined, client: Client | undefined, done: (release?: unknown) => void) => void,
  ): void
  /** Adds a listener for errors of idle clients. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Whether the application has ended the pool. */
  readonly ending: boolean
  /** The number of open connections. */
  readonly totalCount: number
  /** The options of the pool. `max` is the number of connections that it may open. */
  readonly options: { readonly max?: number | undefined }
}

/** Any pool. */
export type AnyPool = PostgresPool<PostgresClient>

/** The default of `pg`. */
const DEFAULT_MAX = 10

/** How many connections the pool may open. */
export function maxConnections(pool: AnyPool): number {
  return pool.options?.max ?? DEFAULT_MAX
}

/** @throws WebhookError `option_invalid` if `pool` isn't a pool, or comes from pg 7. */
export function assertPool(pool: unknown): void {
  const candidate = (pool ?? {}) as Readonly<Record<string, unknown>>
  const hasMethods = ['connect', 'query', 'on'].every((method) => typeof candidate[method] === 'function')
  if (isOfPg7(candidate['options'])) {
    const problem =
      'pool comes from an old version of pg, which never connects on Node 14 and newer; version 8 is needed.'
    throw new WebhookError('option_invalid', `${problem} Run: npm install pg@latest. See docs/stores/postgres.md.`)
  }
  if (hasMethods && typeof candidate['totalCount'] === 'number') return
  throw new WebhookError(
    'option_invalid',
    'pool must be a Pool of pg, not a Client or a connection string: new Pool({ connectionString }). See docs/stores/postgres.md.',
  )
}

/** pg 7 adds its own client to the options. Pools of pg 8 have the option `maxUses`, with a default. */
function isOfPg7(options: unknown): boolean {
  const { Client, maxUses } = (options ?? {}) as Readonly<Record<string, unknown>>
  return typeof Client === 'function' && maxUses === undefined
}

const prepared = new WeakSet<AnyPool>()

/**
 * Prepares a pool once, however many stores share it. Errors of idle connections are emitted on the pool, and without a
 * listener they end the process. Existing listeners still run.
 */
export function preparePool(pool: AnyPool): void {
  if (prepared.has(pool)) return
  prepared.add(pool)
  pool.on('error', () => {})
  const { on } = pool as unknown as { on(event: 'connect', listener: (client: object) => void): unknown }
  Reflect.apply(on, pool, ['connect', watchSession])
}

interface Watchable {
  getTransactionStatus?(): unknown
  readonly connection?: { on?(event: 'readyForQuery', listener: (message: { status?: string }) => void): unknown }
}

const statuses = new WeakMap<object, string | undefined>()

/** Clients before pg 8.17 don't keep the transaction status that Postgres reports after each statement. */
export function watchSession(client: object): void {
  const { getTransactionStatus, connection } = client as Watchable
  if (typeof getTransactionStatus === 'function' || statuses.has(client)) return
  statuses.set(client, undefined)
  connection?.on?.('readyForQuery', ({ status }) => void statuses.set(client, status))
}

/**
 * Whether the connection is inside a transaction. The application may have returned it to the pool without COMMIT or
 * ROLLBACK, and what the store writes there would be lost.
 */
export function isInTransaction(client: object): boolean {
  const { getTransactionStatus } = client as Watchable
  const status = getTransactionStatus ? Reflect.apply(getTransactionStatus, client, []) : statuses.get(client)
  return status === 'T' || status === 'E'
}

/** The error of a connection that is closed because it is inside a transaction. */
export const LEAKED =
  'A connection was returned to the pool inside a transaction, so it was closed. Look for code that calls release() before COMMIT or ROLLBACK.'
