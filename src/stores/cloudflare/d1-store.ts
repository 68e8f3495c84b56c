/**
 * The Cloudflare D1 store: one statement per operation, with the database's own clock, a quarantine, and transactions as one
 * guarded batch. Takes a D1 binding. Operations that start together share one round trip.
 */
import { WebhookError } from '../../errors.js'
import { type QuarantineStatements, quarantineStatements, readEntry } from '../sqlite/quarantine.js'
import { LEASE_LOST, type RecordStatements, readClaim, recordStatements } from '../sqlite/record-statements.js'
import type { Quarantine, QuarantineEntry, Store, TransactionRequest } from '../store.js'
import { createBatches, type D1Batches, prepare } from './d1-batches.js'
import type { D1DatabaseBinding, D1Statement, D1StatementResult } from './d1-binding.js'

export type { D1DatabaseBinding, D1Statement, D1StatementResult } from './d1-binding.js'

/** The options of {@link d1Store}. */
export interface D1StoreOptions {
  /** The binding: `env.DB`. */
  readonly database: D1DatabaseBinding
  /** Separates receivers that share the tables: a receiver sees only its own deliveries. Default: `'default'`. */
  readonly namespace?: string | undefined
  /** The table of deliveries. The quarantine is in `<table>_quarantine`. Default: `'govalid_deliveries'`. */
  readonly table?: string | undefined
}

/** Collects the statements of one transaction. */
export interface D1TransactionBatch {
  /** Adds statements. They run in this order after the function returns. */
  add(...statements: D1Statement[]): void
}

/**
 * The type of `context.transaction` with this store. It collects the handler's statements and commits them with the handler's
 * checkpoint in one atomic `batch`. Resolves to the result of each statement. The function can't read from the database: read
 * before you call it, and let the statements check their own conditions.
 *
 * Rejects with `transaction_async` if the function returns a promise, and with `lease_lost` if another process has claimed
 * the delivery in the meantime. In both cases nothing is written.
 */
export type D1Transaction = <Result>(
  collect: (
    tx: D1TransactionBatch,
  ) => Result extends PromiseLike<unknown> ? 'a D1 transaction takes a synchronous function' : Result,
) => Promise<readonly D1StatementResult[]>

/** A store in D1, with transactions and its own quarantine. */
export interface D1Store extends Store<D1Transaction> {
  /** Opens the transaction function for one run of a handler. */
  readonly transaction: (request: TransactionRequest) => D1Transaction
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
}

/** A completion deletes up to 5 expired records. That is more than it adds, so the table can't grow forever. */
const SWEEP_LIMIT = 5
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Creates a store in D1. It calls nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` if `database` isn't a D1 binding, `namespace` isn't a string, or `table` isn't a plain
 * name of at most 61 characters.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/cloudflare'
 * import { d1Store, type D1DatabaseBinding } from 'govalid-webhooks/stores/d1'
 *
 * interface Env { DB: D1DatabaseBinding; GOVALID_WEBHOOK_SECRET: string }
 *
 * const createEndpoint = (env: Env) =>
 *   createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, store: d1Store({ database: env.DB }) }).on(
 *     'qr.scanned',
 *     async (event, { transaction }) => {
 *       const insert = env.DB.prepare('INSERT INTO scans (qr_id) VALUES (?1)').bind(event.data.qr_id)
 *       await transaction((tx) => tx.add(insert))
 *     },
 *   )
 *
 * export default { fetch: toHandler(createEndpoint) }
 * ```
 */
export function d1Store(options: D1StoreOptions): D1Store {
  const { database, namespace = 'default', table = 'govalid_deliveries' } = options
  if (typeof database?.prepare !== 'function' || typeof database.batch !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'database must be a D1 binding: d1Store({ database: env.DB }). See docs/stores/d1.md.',
    )
  }
  if (typeof namespace !== 'string') {
    throw new WebhookError('option_invalid', `namespace must be a string; it is ${JSON.stringify(namespace)}.`)
  }
  if (!TABLE.test(table)) {
    throw new WebhookError(
      'option_invalid',
      `table must be 1 to 61 letters, digits and underscores and must not start with a digit; it is ${JSON.stringify(table)}.`,
    )
  }
  const records = recordStatements(table, namespace, 'clustered')
  const entries = quarantineStatements(`${table}_quarantine`, namespace)
  const batches = createBatches(database, table, [...records.schema, ...entries.schema])
  const sweep = records.sweep(SWEEP_LIMIT)
  return {
    claim: async (request) => readClaim(await batches.group(records.claim(request)), request.token),
    renew: async (request) => (await batches.group(records.renew(request))).length > 0,
    complete: async (request) => (await batches.group(records.complete(request), sweep)).length > 0,
    release: async (request) => (await batches.group(records.release(request))).length > 0,
    transaction: (request) => (collect) => commit(database, records, request, collect),
    quarantine: createQuarantine(batches, entries),
  }
}

async function commit(
  database: D1DatabaseBinding,
  records: RecordStatements,
  request: TransactionRequest,
  collect: (tx: D1TransactionBatch) => unknown,
): Promise<readonly D1StatementResult[]> {
  const collected = collectStatements(collect)
  const guard = prepare(database, records.guard(request))
  const checkpoint = prepare(database, records.checkpoint(request))
  try {
    const results = await database.batch([guard, ...collected, checkpoint])
    return results.slice(1, -1)
  } catch (error) {
    if (!String(error).includes(LEASE_LOST)) throw error
    const message = 'Another process has claimed this delivery in the meantime, so the transaction was rolled back.'
    throw new WebhookError('lease_lost', message, { cause: error })
  }
}

function collectStatements(collect: (tx: D1TransactionBatch) => unknown): readonly D1Statement[] {
  const collected: D1Statement[] = []
  const result = collect({ add: (...statements) => void collected.push(...statements) })
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return collected
  // Statements that an async function adds later would be missing from the batch.
  const message =
    'transaction takes a synchronous function that adds statements; this function returned a promise. Await before you call transaction.'
  throw new WebhookError('transaction_async', message)
}

function createQuarantine({ alone, group }: D1Batches, statements: QuarantineStatements): Quarantine {
  const put = async (entry: QuarantineEntry) => void (await alone(statements.put(entry)))
  return Object.assign(put, {
    discard: async (key: string) => void (await group(statements.discard(key))),
    get: async (key: string) => (await alone(statements.get(key))).map(readEntry)[0],
    list: async ({ limit = 100, after = '' } = {}) => (await alone(statements.list(limit, after))).map(readEntry),
    count: async () => Number((await alone(statements.count))[0]?.['count']),
  })
}
