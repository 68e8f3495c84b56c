/**
 * Store driver for Cloudflare D1: one statement and one round trip a step, the database's own clock, transactions as one guarded batch.
 * In: a D1 binding. The tables are created with the first step of an isolate, in the same round trip.
 */
import { WebhookError } from '../../errors.js'
import { quarantineStatements, readEntry } from '../sqlite/quarantine.js'
import { LEASE_LOST, readClaim, recordStatements, type SqlRow, type SqlStatement } from '../sqlite/records.js'
import type { Quarantine, QuarantineEntry, Store, TransactionRequest } from '../store.js'

/** A prepared statement of D1 (`D1PreparedStatement`), as far as it is used. */
export interface D1Statement {
  /** The statement with its values. */
  bind(...values: unknown[]): D1Statement
}

/** What one statement of a batch gave (`D1Result`), as far as it is used. */
export interface D1StatementResult {
  /** The rows. */
  readonly results: readonly unknown[]
  /** What D1 says of the run; `changes` is the number of rows written. */
  readonly meta: Readonly<Record<string, unknown>>
}

/** A D1 binding (`D1Database`) or a session of one, as far as it is used. */
export interface D1DatabaseBinding {
  /** Prepares one statement. */
  prepare(query: string): D1Statement
  /** Runs statements in one transaction. */
  batch(statements: D1Statement[]): Promise<D1StatementResult[]>
}

/** What `d1Store` takes. */
export interface D1StoreOptions {
  /** The binding: `env.DB`. */
  readonly database: D1DatabaseBinding
  /** Keeps receivers apart that share the tables: deliveries of one are unknown to the others. Default: `'default'`. */
  readonly namespace?: string
  /** The table of deliveries; the quarantine is beside it, as `<table>_quarantine`. Default: `'govalid_deliveries'`. */
  readonly table?: string
}

/** Takes the statements of one transaction. */
export interface D1TransactionBatch {
  /** Adds statements; they run in the order they were added, once the function has returned. */
  add(...statements: D1Statement[]): void
}

/**
 * `context.transaction` with this store: collects the handler's statements and commits them with its checkpoint, in one atomic `batch`.
 * Resolves to what each statement gave. Nothing can be read inside: read before, and let the statements themselves check what they need.
 */
export type D1Transaction = <Result>(
  collect: (
    tx: D1TransactionBatch,
  ) => Result extends PromiseLike<unknown> ? 'a D1 transaction takes a synchronous function' : Result,
) => Promise<readonly D1StatementResult[]>

/** A store in D1: transactional, and with a quarantine of its own. */
export interface D1Store extends Store<D1Transaction> {
  /** Opens the transaction function for one handler's run. */
  readonly transaction: (request: TransactionRequest) => D1Transaction
  /** The quarantine in the same database. */
  readonly quarantine: Quarantine
}

/** How many records a completion clears away: more than it adds, so that what is over cannot pile up. */
const SWEPT_PER_COMPLETION = 5
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Makes a store in D1. Calls nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` when `database` is no D1 binding, or `table` no plain name of at most 61 characters.
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
    throw new WebhookError('option_invalid', 'database must be a D1 binding: d1Store({ database: env.DB }).')
  }
  if (!TABLE.test(table)) {
    throw new WebhookError(
      'option_invalid',
      `table must be letters, digits and _, at most 61, not first a digit; it is ${JSON.stringify(table)}.`,
    )
  }
  const records = recordStatements(table, namespace)
  const kept = quarantineStatements(`${table}_quarantine`, namespace)
  const run = createRun(database, [...records.schema, ...kept.schema])
  const holds = async (step: SqlStatement, ...more: SqlStatement[]) => (await run(step, ...more)).length > 0
  return {
    claim: async (request) => readClaim(await run(records.claim(request)), request.token),
    renew: (request) => holds(records.renew(request)),
    complete: (request) => holds(records.complete(request), records.sweep(SWEPT_PER_COMPLETION)),
    release: (request) => holds(records.release(request)),
    transaction: (request) => (collect) => commit(database, records, request, collect),
    quarantine: createQuarantine(run, kept),
  }
}

/** Runs statements in one batch, and gives back the rows of the first. */
type Run = (...statements: SqlStatement[]) => Promise<readonly SqlRow[]>

function createRun(database: D1DatabaseBinding, schema: readonly SqlStatement[]): Run {
  let hasTables = false
  return async function run(...statements) {
    // Nothing is shared between requests but this flag: a Worker must not wait for a promise of another request.
    const first = hasTables ? [] : schema
    try {
      const results = await database.batch([...first, ...statements].map((statement) => prepare(database, statement)))
      hasTables = true
      return results[first.length]?.results as readonly SqlRow[]
    } catch (error) {
      hasTables = false
      throw error
    }
  }
}

function prepare(database: D1DatabaseBinding, { sql, values }: SqlStatement): D1Statement {
  return database.prepare(sql).bind(...values)
}

async function commit(
  database: D1DatabaseBinding,
  records: ReturnType<typeof recordStatements>,
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
    const message = 'Another worker has claimed this delivery since; nothing of the transaction was written.'
    throw new WebhookError('lease_lost', message, { cause: error })
  }
}

function collectStatements(collect: (tx: D1TransactionBatch) => unknown): readonly D1Statement[] {
  const collected: D1Statement[] = []
  const result = collect({ add: (...statements) => void collected.push(...statements) })
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return collected
  // Whatever it adds later would be missing from the batch.
  const message =
    'transaction takes a function that adds its statements at once. Await what they need before calling it.'
  throw new WebhookError('transaction_async', message)
}

function createQuarantine(run: Run, kept: ReturnType<typeof quarantineStatements>): Quarantine {
  const put = async (entry: QuarantineEntry) => void (await run(kept.put(entry)))
  return Object.assign(put, {
    discard: async (key: string) => void (await run(kept.discard(key))),
    get: async (key: string) => (await run(kept.get(key))).map(readEntry)[0],
    list: async ({ limit = 100, after = '' } = {}) => (await run(kept.list(limit, after))).map(readEntry),
  })
}
