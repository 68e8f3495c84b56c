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
import type { PoolClient } from 'pg'
import { type Clock, MAX_TIMER_MS, monotonicMs, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { Quarantine, Store, TransactionRequest } from '../store.js'
import { toClaimResult } from './claim-results.js'
import { createConnections } from './connections.js'
import { claimKind, updateKind } from './operation-kinds.js'
import { createOperations } from './operations.js'
import { createOrphanedClaims } from './orphaned-claims.js'
import { assertPool, maxConnections, type PostgresClient, type PostgresPool } from './pool.js'
import { createQuarantine } from './quarantine.js'
import { recordStatements, toCompletion, toRelease, toRenewal } from './record-statements.js'
import { readTable, tablesSql } from './tables.js'
import { createTransactions, type PostgresTransaction } from './transactions.js'

export type { PostgresClient, PostgresPool } from './pool.js'
export type { PostgresTransaction } from './transactions.js'

/** The options of {@link postgresStore}. */
export interface PostgresStoreOptions<Client extends PostgresClient = PoolClient> {
  /**
   * Your pool of `pg`, or one with the same methods, such as the Pool of `@neondatabase/serverless`. The store never ends it.
   * Transactions need at least two connections.
   */
  readonly pool: PostgresPool<Client>
  /**
   * The table of deliveries, with or without a schema, for example `'hooks.deliveries'`. The quarantine is in
   * `<table>_quarantine`. The store creates missing tables, but the schema must exist. Default: `'govalid_deliveries'`.
   */
  readonly table?: string | undefined
  /** Separates receivers that share the tables: a receiver sees only its own deliveries. Default: `'default'`. */
  readonly namespace?: string | undefined
  /**
   * How long a call may wait for a connection or a locked row, in milliseconds. Nothing is sent after that. Default: as long
   * as the delivery's response allows, and 1,000 for calls outside of a receiver.
   */
  readonly callLimitMs?: number | undefined
  /**
   * How many transactions may be open at once. Others wait, which leaves the rest of the pool to claims. Default: half of
   * the pool.
   */
  readonly maxTransactions?: number | undefined
  /** How long a transaction may stay open, in milliseconds. Default: 15 minutes. */
  readonly transactionLimitMs?: number | undefined
  /** The clock for these limits. Tests inject their own. Leases and retention use the database's clock. */
  readonly clock?: Clock | undefined
}

/** A store in Postgres, with transactions and its own quarantine. */
export interface PostgresStore<Client = PoolClient> extends Store<PostgresTransaction<Client>> {
  /** Opens the transaction function for one run of a handler. */
  readonly transaction: (request: TransactionRequest) => PostgresTransaction<Client>
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
  /** Returns how many operations wait for a connection of the pool. */
  readonly waiting: () => number
}

const TABLE = 'govalid_deliveries'
/** For calls outside of a receiver, which say nothing about their time. */
const CALL_LIMIT_MS = 1_000
/** Entries of the quarantine are worth as much time as the response of a delivery has. */
const QUARANTINE_LIMIT_MS = 4_500
/** How many statements of each kind are in flight: two groups, and two operations that wait for a locked row. */
const MAX_STATEMENTS = 4
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
export function postgresStore<Client extends PostgresClient = PoolClient>(
  options: PostgresStoreOptions<Client>,
): PostgresStore<Client> {
  const { pool, table = TABLE, namespace = 'default', clock = systemClock } = options
  assertPool(pool)
  assertNamespace(namespace)
  const tables = readTable(table)
  const callLimitMs = options.callLimitMs === undefined ? undefined : readCount('callLimitMs', options.callLimitMs)
  const transactionLimitMs = readCount('transactionLimitMs', options.transactionLimitMs ?? TRANSACTION_LIMIT_MS)
  const poolMax = maxConnections(pool)
  const half = Math.max(1, Math.floor(poolMax / 2))
  const maxTransactions = readCount('maxTransactions', options.maxTransactions ?? half)
  const limitOf = ({ waitMs }: { readonly waitMs?: number | undefined }) =>
    Math.min(waitMs ?? callLimitMs ?? CALL_LIMIT_MS, callLimitMs ?? Number.POSITIVE_INFINITY)

  const connections = createConnections({ pool, clock, tables })
  const records = recordStatements(tables, namespace)
  const shared = { connections, clock }
  const updates = createOperations(updateKind(tables, namespace), {
    ...shared,
    maxStatements: Math.min(MAX_STATEMENTS, poolMax),
  })
  const orphanedClaims = createOrphanedClaims(clock, () => pool.ending)
  const claims = createOperations(
    claimKind(tables, namespace, ({ key, token }) => {
      const update = toRelease({ key, token, completedHandlers: [], counted: false })
      orphanedClaims.releaseLater(token, () => updates.run(update, limitOf({})))
    }),
    // A burst of claims leaves one connection to heartbeats and completions.
    { ...shared, maxStatements: Math.max(1, Math.min(MAX_STATEMENTS, poolMax - 1)) },
  )
  const transactions = createTransactions({ ...shared, maxTransactions, transactionLimitMs, maxConnections: poolMax })
  const quarantineLimitMs = callLimitMs ?? QUARANTINE_LIMIT_MS
  const sweep = createSweep(clock, async (limit) => (await connections.run(CALL_LIMIT_MS, records.sweep(limit))).count)
  return {
    async claim(request) {
      orphanedClaims.keep(request.token)
      const record = await claims.run(request, limitOf(request))
      return toClaimResult(record, request.token)
    },
    renew: (request) => updates.run(toRenewal(request), limitOf(request)),
    async complete(request) {
      const isCompleted = await updates.run(toCompletion(request), limitOf(request))
      sweep()
      return isCompleted
    },
    release: (request) => updates.run(toRelease(request), limitOf(request)),
    waiting: () => claims.waiting() + updates.waiting(),
    transaction: (request) => (callback) =>
      transactions.run(callback, {
        begin: (quote) => records.begin(request, quote),
        commit: (quote) => records.commit(request, quote),
      }),
    quarantine: createQuarantine(tables, namespace, (statement, maxMs = quarantineLimitMs) =>
      connections.run(Math.min(maxMs, quarantineLimitMs), statement),
    ),
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

function assertNamespace(namespace: string): void {
  if (typeof namespace === 'string' && /^[\x20-\x7e]{1,200}$/.test(namespace)) return
  const message = `namespace must be 1 to 200 printable ASCII characters; it is ${JSON.stringify(namespace)}.`
  throw new WebhookError('option_invalid', `${message} See docs/stores/postgres.md.`)
}

function readCount(name: string, value: number): number {
  // A longer timer fires immediately.
  if (Number.isSafeInteger(value) && value > 0 && value <= MAX_TIMER_MS) return value
  const message = `${name} must be a whole number from 1 to ${MAX_TIMER_MS}; it is ${value}. See docs/stores/postgres.md.`
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
  let dueAt = Number.NEGATIVE_INFINITY
  let isRunning = false
  return () => {
    completions++
    const now = monotonicMs(clock)
    if (isRunning || (completions < SWEEP_EVERY && now < dueAt)) return
    isRunning = true
    completions = 0
    dueAt = now + SWEEP_AFTER_MS
    void deleteExpired(SWEEP_LIMIT)
      .then((deleted) => {
        if (deleted === SWEEP_LIMIT) dueAt = Number.NEGATIVE_INFINITY
      })
      .catch(() => {})
      .finally(() => {
        isRunning = false
      })
  }
}
