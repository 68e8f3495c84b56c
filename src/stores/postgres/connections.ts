/**
 * Runs statements on the connections of a pool. A connection that is broken, read-only or inside a transaction is closed, and
 * its statement is repeated on another one. Every 'error' event has a listener.
 */
import { type Clock, startDeadline, withTimeout } from '../../clock.js'
import { asError, awaitResponse } from './await-response.js'
import { type Borrow, type BorrowedConnection, createBorrow } from './borrowing.js'
import { isInTransaction, LEAKED, maxConnections, type PostgresClient, type PostgresPool, preparePool } from './pool.js'
import { type PostgresRows, type PostgresStatement, readRows } from './rows.js'
import {
  codeOf,
  explainError,
  isStatementError,
  mayConnectSoon,
  mayRepeat,
  NOT_PREPARED,
  noConnection,
  UNDEFINED_TABLE,
} from './server-errors.js'
import { ensureTables, type PostgresTables } from './tables.js'

/** Statements that wait for a connection. */
export interface PendingWork {
  /** How long the connection is worth waiting for, in milliseconds. */
  left(): number
  /** Returns a repeatable statement once a connection is free, or `undefined` if there is nothing left to do. */
  next(): PostgresStatement | undefined
  /** Called after each failed attempt. `wasSent`: the server may have executed the statement, or execute it later. */
  onFailure(error: unknown, wasSent: boolean): void
}

/** How `PostgresConnections.attempt` ended. */
export type WorkResult =
  | { readonly status: 'done'; readonly result: PostgresRows | undefined }
  /** The server refused the statement, or the time limit has passed. */
  | { readonly status: 'refused'; readonly error: unknown }
  /** There is no connection to a server. */
  | { readonly status: 'unreachable'; readonly error: unknown }
  /** The pool had no free connection in time. */
  | { readonly status: 'exhausted' }

/** The connections of one store. */
export interface PostgresConnections<Client extends PostgresClient = PostgresClient> {
  /** Sends the next statement. Repeats that on another connection if only the connection failed. Never rejects. */
  attempt(work: PendingWork): Promise<WorkResult>
  /** Runs one repeatable statement, which is sent within `limitMs` or not at all. */
  run(limitMs: number, statement: PostgresStatement): Promise<PostgresRows>
  /** Borrows a connection that is outside of any transaction, or returns `undefined` if none is free in time. */
  readonly borrow: Borrow<Client>
}

/** The options of {@link createConnections}. */
export interface ConnectionOptions<Client extends PostgresClient> {
  readonly pool: PostgresPool<Client>
  readonly clock: Clock
  readonly tables: PostgresTables
}

/** The pause before the next attempt once every connection of the pool may have been replaced. */
const RETRY_PAUSE_MS = 100

/** Creates the connections of one store. */
export function createConnections<Client extends PostgresClient>(
  options: ConnectionOptions<Client>,
): PostgresConnections<Client> {
  const { pool, clock, tables } = options
  preparePool(pool)
  const borrow = createBorrow(pool, clock)
  const gate = createTablesGate(clock, () => ensureTables(tables, clock, borrow, maxConnections(pool)))
  let isPreparing = true

  async function send({ client, giveBack }: BorrowedConnection, statement: PostgresStatement): Promise<Sent> {
    const name = isPreparing ? statement.name : undefined
    const response = await awaitResponse(clock, () => readRows(client, { ...statement, name }))
    if (response.status === 'value') {
      const leaked = isInTransaction(client) ? new Error(LEAKED) : undefined
      giveBack(leaked)
      return leaked ? { status: 'failed', error: leaked, wasSent: false } : { status: 'done', result: response.value }
    }
    const { error } = response
    const isRefused = isStatementError(error)
    giveBack(isRefused ? undefined : asError(error))
    if (codeOf(error) === UNDEFINED_TABLE) gate.close()
    if (NOT_PREPARED.test(codeOf(error))) isPreparing = false
    if (mayRepeat(error)) return { status: 'failed', error, wasSent: !isRefused }
    return { status: 'refused', error: explainError(error, tables.deliveries), wasSent: !isRefused }
  }

  /** Waits for the tables and a connection, also while the server starts or has too many clients. */
  async function open(work: PendingWork): Promise<BorrowedConnection | WorkResult> {
    for (;;) {
      try {
        const connection = (await gate.passed(work.left())) ? await borrow(work.left()) : undefined
        if (connection) return connection
        // Other operations may have joined meanwhile, which have more time.
        if (work.left() <= 0) return { status: 'exhausted' }
      } catch (error) {
        if (work.left() <= 0 || !mayConnectSoon(error)) return { status: 'unreachable', error }
        await pause(clock, Math.min(RETRY_PAUSE_MS, work.left()))
      }
    }
  }

  async function attempt(work: PendingWork): Promise<WorkResult> {
    for (let failures = 0; ; failures++) {
      if (failures > maxConnections(pool)) await pause(clock, RETRY_PAUSE_MS)
      const opened = await open(work)
      if ('status' in opened) return opened
      const statement = nextOf(work)
      if (!statement || 'status' in statement) {
        opened.giveBack()
        return statement ?? { status: 'done', result: undefined }
      }
      const sent = await send(opened, statement)
      if (sent.status === 'done') return sent
      work.onFailure(sent.error, sent.wasSent)
      if (sent.status === 'refused' || work.left() <= 0) return { status: 'refused', error: sent.error }
    }
  }

  return {
    attempt,
    borrow,
    async run(limitMs, statement) {
      const { left } = startDeadline(clock, limitMs)
      const next = () => (left() > 0 ? statement : undefined)
      const ended = await attempt({ left, next, onFailure: () => {} })
      if (ended.status === 'done' && ended.result) return ended.result
      throw 'error' in ended ? ended.error : noConnection(limitMs)
    },
  }
}

/** A request of a store's own user may have fields of any type. */
function nextOf(work: PendingWork): PostgresStatement | WorkResult | undefined {
  try {
    return work.next()
  } catch (error) {
    return { status: 'refused', error }
  }
}

type Sent =
  | { readonly status: 'done'; readonly result: PostgresRows }
  | { readonly status: 'failed' | 'refused'; readonly error: unknown; readonly wasSent: boolean }

interface TablesGate {
  /** Returns whether the tables exist within `limitMs`. Creates them if needed, once for all callers. */
  passed(limitMs: number): Promise<boolean>
  /** A table is missing, so the next caller creates it again. */
  close(): void
}

function createTablesGate(clock: Clock, ensure: () => Promise<void>): TablesGate {
  let isOpen = false
  let ensuring: Promise<void> | undefined
  const start = async () => {
    try {
      await ensure()
      isOpen = true
    } finally {
      ensuring = undefined
    }
  }
  return {
    async passed(limitMs) {
      if (isOpen) return true
      const result = await withTimeout(clock, limitMs, () => {
        ensuring ??= start()
        return ensuring
      })
      if (result.status === 'error') throw result.error
      return result.status === 'value'
    },
    close() {
      isOpen = false
    },
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(ms, resolve))
}
