/**
 * Store driver for Postgres, by a `Pool` of `pg`: any number of processes and machines, transactions with the handler's own writes, a
 * quarantine. The clock is the database's. Creates its two tables with the first delivery:
 *
 * | `<table>` | what it holds |
 * | --- | --- |
 * | `namespace`, `key` | which delivery; the key is the SHA-256 |
 * | `state` | `working`, `released`, `done` or `quarantined` |
 * | `token` | who claimed it last |
 * | `lease_until`, `retain_until`, `counted_at` | the end of the lease, of the retention, and the last counted try, in epoch milliseconds |
 * | `attempt`, `released` | tries counted, and tries that ended with a release |
 * | `completed_handlers` | names of the handlers that are finished |
 *
 * | `<table>_quarantine` | what it holds |
 * | --- | --- |
 * | `namespace`, `key`, `code`, `raw_body`, `received_at`, `attempt` | the entry |
 * | `about` | its event type, headers and error, as JSON |
 */
import type { Pool } from 'pg'
import { type Clock, MAX_TIMER_MS, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { Quarantine, Store, TransactionRequest } from '../store.js'
import { createConnections, type PostgresConnections, type PostgresStatement } from './connection.js'
import { createQuarantine } from './quarantine.js'
import { type ClaimRow, readClaim, recordStatements } from './records.js'
import { migrateTables, readTable, tablesSql } from './schema.js'
import { createTransactions, type PostgresTransaction } from './transaction.js'
import { createUnansweredClaims } from './unanswered.js'

export type { PostgresTransaction } from './transaction.js'

/** What `postgresStore` takes. */
export interface PostgresStoreOptions {
  /** A pool of `pg`, yours: the store ends neither it nor its connections. It needs two connections at least, for transactions. */
  readonly pool: Pool
  /**
   * The table of deliveries, with or without a schema: `'hooks.deliveries'`. The quarantine is beside it, as `<table>_quarantine`. Both
   * are created where they are missing; the schema must exist. Default: `'govalid_deliveries'`.
   */
  readonly table?: string
  /** Keeps receivers apart that share the tables: deliveries of one are unknown to the others. Default: `'default'`. */
  readonly namespace?: string
  /** How long a call may wait for a connection or a locked row, in milliseconds; nothing is sent after that. Default: 900. */
  readonly callLimitMs?: number
  /** How many transactions may be open at once; others wait. The rest of the pool is left for claims. Default: half of the pool. */
  readonly maxTransactions?: number
  /** How long a transaction may be open, in milliseconds. Default: 15 minutes. */
  readonly transactionLimitMs?: number
  /** The clock of those limits, for tests. Leases and retention go by the database's own. */
  readonly clock?: Clock
}

/** A store in Postgres: transactional, and with a quarantine of its own. */
export interface PostgresStore extends Store<PostgresTransaction> {
  /** Opens the transaction function for one handler's run. */
  readonly transaction: (request: TransactionRequest) => PostgresTransaction
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
}

const TABLE = 'govalid_deliveries'
const POOL_MAX = 10
/** Below the second that the receiver gives a store call. */
const CALL_LIMIT_MS = 900
const TRANSACTION_LIMIT_MS = 15 * 60 * 1000

/**
 * Makes a store in Postgres. Connects with the first delivery only.
 *
 * @throws WebhookError `option_invalid` when `pool` is no pool of `pg`, `table` no plain name, `namespace` no printable ASCII, or a
 * limit no whole number above 0.
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
  refuseOtherThanPool(pool)
  if (!/^[\x20-\x7e]{1,200}$/.test(namespace)) {
    throw new WebhookError('option_invalid', 'namespace must be 1 to 200 printable ASCII characters.')
  }
  const tables = readTable(table)
  const callLimitMs = readCount('callLimitMs', options.callLimitMs, CALL_LIMIT_MS)
  const transactionLimitMs = readCount('transactionLimitMs', options.transactionLimitMs, TRANSACTION_LIMIT_MS)
  const poolMax = pool.options?.max ?? POOL_MAX
  const half = Math.max(1, Math.floor(poolMax / 2))
  const maxTransactions = readCount('maxTransactions', options.maxTransactions, half)
  const statements = recordStatements(tables, namespace, callLimitMs)
  const migrate = (borrow: PostgresConnections['borrow']) => migrateTables(tables, clock, borrow)
  // A storm of claims leaves one connection to heartbeats and completions.
  const connections = createConnections({ pool, clock, callLimitMs, turns: Math.max(1, poolMax - 1), migrate })
  const { run, runInTurn } = connections
  const transactions = createTransactions({ connections, clock, maxTransactions, transactionLimitMs })
  const changes = async (statement: PostgresStatement) => (await run(statement)).rowCount === 1
  const unanswered = createUnansweredClaims(clock, () => pool.ending)
  const sweep = createSweep(clock, async (limit) => (await run(statements.sweep(limit))).rowCount ?? 0)
  return {
    async claim(request) {
      const { key, token } = request
      unanswered.keep(token)
      const release = async () => {
        const { rowCount } = await runInTurn(statements.release({ key, token, completedHandlers: [], counted: false }))
        return rowCount === 1
      }
      const onUnanswered = () => unanswered.takeBack(token, release)
      const { rows } = await runInTurn({ ...statements.claim(request), onUnanswered })
      return readClaim(rows[0] as ClaimRow | undefined)
    },
    renew: (request) => changes(statements.renew(request)),
    async complete(request) {
      const completed = await changes(statements.complete(request))
      sweep()
      return completed
    },
    release: (request) => changes(statements.release(request)),
    transaction: (request) => (work) =>
      transactions.run(work, {
        begin: (quote) => statements.begin(request, quote),
        commit: (quote) => statements.commit(request, quote),
      }),
    quarantine: createQuarantine(tables, namespace, run),
  }
}

/**
 * The SQL that creates the store's tables, for migrations of your own: where the role of the application may not create tables.
 *
 * @throws WebhookError `option_invalid` when `table` is no plain name.
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

function refuseOtherThanPool(pool: unknown): void {
  const given = (pool ?? {}) as Readonly<Record<string, unknown>>
  const methods = ['connect', 'query', 'on'].every((method) => typeof given[method] === 'function')
  if (methods && typeof given['totalCount'] === 'number') return
  throw new WebhookError('option_invalid', 'pool must be a Pool of pg, not a Client: new Pool({ connectionString }).')
}

function readCount(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  // The limits are those of timers too.
  if (Number.isSafeInteger(value) && value > 0 && value <= MAX_TIMER_MS) return value
  const message = `${name} must be a whole number from 1 to ${MAX_TIMER_MS}; it is ${value}.`
  throw new WebhookError('option_invalid', message)
}

const SWEEP_EVERY = 100
const SWEEP_AFTER_MS = 60_000
const SWEPT_AT_ONCE = 500

/**
 * Clears away what is over, behind a completion: at most one statement at a time, more rows than completions add, and none that is locked.
 * A failure is left to the next time.
 */
function createSweep(clock: Clock, deleteSome: (limit: number) => Promise<number>): () => void {
  let completions = 0
  let due = 0
  let running = false
  return () => {
    completions++
    if (running || (completions < SWEEP_EVERY && clock.now() < due)) return
    running = true
    completions = 0
    due = clock.now() + SWEEP_AFTER_MS
    void deleteSome(SWEPT_AT_ONCE)
      .then((deleted) => {
        if (deleted === SWEPT_AT_ONCE) due = 0
      })
      .catch(() => {})
      .finally(() => {
        running = false
      })
  }
}
