/**
 * The Postgres store, for any number of processes and machines. It has transactions with the handler's own writes and a
 * quarantine. Takes a `Pool` of `pg`. The clock is the database's. The first delivery creates two tables:
 *
 * | `<table>` | content |
 * | --- | --- |
 * | `namespace`, `key` | the delivery; the key is its SHA-256 |
 * | `state` | `processing`, `released`, `done` or `quarantined` |
 * | `token` | the token of the last claim |
 * | `lease_until`, `retain_until` | the end of the lease and of the retention, in epoch milliseconds |
 * | `counted_at` | the time of the last counted attempt, in epoch milliseconds |
 * | `attempt`, `released_attempts` | the number of counted attempts, and of attempts that ended with a release |
 * | `completed_handlers` | the names of the completed handlers |
 *
 * | `<table>_quarantine` | content |
 * | --- | --- |
 * | `namespace`, `key`, `code`, `raw_body`, `received_at`, `attempt` | the entry |
 * | `about` | the event type, headers and error of the entry, as JSON |
 */
import type { Pool } from 'pg'
import { type Clock, MAX_TIMER_MS, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { Quarantine, Store, TransactionRequest } from '../store.js'
import { createConnections, type PostgresConnections, type PostgresStatement } from './connections.js'
import { createOrphanedClaims } from './orphaned-claims.js'
import { createQuarantine } from './quarantine.js'
import { type ClaimRow, readClaim, recordStatements } from './record-statements.js'
import { migrateTables, readTable, tablesSql } from './tables.js'
import { createTransactions, type PostgresTransaction } from './transactions.js'

export type { PostgresTransaction } from './transactions.js'

/** The options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Your pool of `pg`. The store never ends it. Transactions need at least two connections. */
  readonly pool: Pool
  /**
   * The table of deliveries, with or without a schema, for example `'hooks.deliveries'`. The quarantine is in
   * `<table>_quarantine`. The store creates missing tables, but the schema must exist. Default: `'govalid_deliveries'`.
   */
  readonly table?: string
  /** Separates receivers that share the tables: a receiver sees only its own deliveries. Default: `'default'`. */
  readonly namespace?: string
  /** How long a call may wait for a connection or a locked row, in milliseconds. Nothing is sent after that. Default: 900. */
  readonly callLimitMs?: number
  /**
   * How many transactions may be open at once. Others wait, which leaves the rest of the pool to claims. Default: half of
   * the pool.
   */
  readonly maxTransactions?: number
  /** How long a transaction may stay open, in milliseconds. Default: 15 minutes. */
  readonly transactionLimitMs?: number
  /** The clock for these limits. Tests inject their own. Leases and retention use the database's clock. */
  readonly clock?: Clock
}

/** A store in Postgres, with transactions and its own quarantine. */
export interface PostgresStore extends Store<PostgresTransaction> {
  /** Opens the transaction function for one run of a handler. */
  readonly transaction: (request: TransactionRequest) => PostgresTransaction
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
}

const TABLE = 'govalid_deliveries'
const POOL_MAX = 10
/** Less than the receiver's 1 s per store call. */
const CALL_LIMIT_MS = 900
const TRANSACTION_LIMIT_MS = 15 * 60 * 1000

/**
 * Creates a store in Postgres. It connects with the first delivery.
 *
 * @throws WebhookError `option_invalid` if `pool` isn't a pool of `pg`, `table` isn't a plain name, `namespace` isn't
 * printable ASCII, or a limit isn't a whole number above 0.
 *
 * @example
 * ```ts
 * import pg from 'pg'
 * import { createReceiver } from 'govalid-webhooks'
 * import { postgresStore } from 'govalid-webhooks/stores/postgres'
 *
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store: postgresStore({ pool }) })
 *   .on('qr.scanned', async (event, { transaction }) => {
 *     await transaction(async (tx) => {
 *       await tx.query('INSERT INTO scans (qr_id) VALUES ($1)', [event.data.qr_id])
 *     })
 *   })
 * ```
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const { pool, table = TABLE, namespace = 'default', clock = systemClock } = options
  assertPool(pool)
  if (!/^[\x20-\x7e]{1,200}$/.test(namespace)) {
    throw new WebhookError(
      'option_invalid',
      `namespace must be 1 to 200 printable ASCII characters; it is ${JSON.stringify(namespace)}.`,
    )
  }
  const tables = readTable(table)
  const callLimitMs = readCount('callLimitMs', options.callLimitMs, CALL_LIMIT_MS)
  const transactionLimitMs = readCount('transactionLimitMs', options.transactionLimitMs, TRANSACTION_LIMIT_MS)
  const poolMax = pool.options?.max ?? POOL_MAX
  const maxTransactions = readCount('maxTransactions', options.maxTransactions, Math.max(1, Math.floor(poolMax / 2)))
  const statements = recordStatements(tables, namespace, callLimitMs)
  const migrate = (borrow: PostgresConnections['borrow']) => migrateTables(tables, clock, borrow)
  // A burst of claims leaves one connection to heartbeats and completions.
  const connections = createConnections({ pool, clock, callLimitMs, maxQueued: Math.max(1, poolMax - 1), migrate })
  const { run, runQueued } = connections
  const transactions = createTransactions({ connections, clock, maxTransactions, transactionLimitMs })
  const changesRow = async (statement: PostgresStatement) => (await run(statement)).rowCount === 1
  const orphanedClaims = createOrphanedClaims(clock, () => pool.ending)
  const sweep = createSweep(clock, async (limit) => (await run(statements.sweep(limit))).rowCount ?? 0)
  return {
    async claim(request) {
      const { key, token } = request
      orphanedClaims.keep(token)
      const release = async () => {
        const { rowCount } = await runQueued(statements.release({ key, token, completedHandlers: [], counted: false }))
        return rowCount === 1
      }
      const onNoResponse = () => orphanedClaims.releaseLater(token, release)
      const { rows } = await runQueued({ ...statements.claim(request), onNoResponse })
      return readClaim(rows[0] as ClaimRow | undefined)
    },
    renew: (request) => changesRow(statements.renew(request)),
    async complete(request) {
      const isCompleted = await changesRow(statements.complete(request))
      sweep()
      return isCompleted
    },
    release: (request) => changesRow(statements.release(request)),
    transaction: (request) => (callback) =>
      transactions.run(callback, {
        begin: (quote) => statements.begin(request, quote),
        commit: (quote) => statements.commit(request, quote),
      }),
    quarantine: createQuarantine(tables, namespace, run),
  }
}

/**
 * Returns the SQL that creates the store's tables. Use it in a migration if the role of your application may not create
 * tables.
 *
 * @throws WebhookError `option_invalid` if `table` isn't a plain name.
 *
 * @example
 * ```ts
 * import { postgresTablesSql } from 'govalid-webhooks/stores/postgres'
 *
 * console.log(postgresTablesSql('hooks.deliveries'))
 * ```
 */
export function postgresTablesSql(table: string = TABLE): string {
  return tablesSql(readTable(table))
}

function assertPool(pool: unknown): void {
  const candidate = (pool ?? {}) as Readonly<Record<string, unknown>>
  const hasMethods = ['connect', 'query', 'on'].every((method) => typeof candidate[method] === 'function')
  if (hasMethods && typeof candidate['totalCount'] === 'number') return
  throw new WebhookError(
    'option_invalid',
    'pool must be a Pool of pg, not a Client or a connection string: new Pool({ connectionString }). See docs/stores/postgres.md.',
  )
}

function readCount(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  // A longer timer fires immediately.
  if (Number.isSafeInteger(value) && value > 0 && value <= MAX_TIMER_MS) return value
  const message = `${name} must be a whole number from 1 to ${MAX_TIMER_MS}; it is ${value}.`
  throw new WebhookError('option_invalid', message)
}

const SWEEP_EVERY = 100
const SWEEP_AFTER_MS = 60_000
const SWEEP_LIMIT = 500

/**
 * Creates a function that deletes expired records in the background, after a completion. It runs at most one statement at a
 * time and skips locked rows. It deletes more rows than completions add. Errors are ignored, because the next sweep deletes the same rows.
 */
function createSweep(clock: Clock, deleteExpired: (limit: number) => Promise<number>): () => void {
  let completions = 0
  let dueAt = 0
  let isRunning = false
  return () => {
    completions++
    if (isRunning || (completions < SWEEP_EVERY && clock.now() < dueAt)) return
    isRunning = true
    completions = 0
    dueAt = clock.now() + SWEEP_AFTER_MS
    void deleteExpired(SWEEP_LIMIT)
      .then((deleted) => {
        if (deleted === SWEEP_LIMIT) dueAt = 0
      })
      .catch(() => {})
      .finally(() => {
        isRunning = false
      })
  }
}
