/**
 * Inbox driver for SQLite on one machine: a durable spool and its worker in one process, or in several that share the file.
 * In: a connection of the inbox's own, to the file of the store or to another. Due times go by the machine's clock, which all share.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { createConnection, type SqliteDatabase } from '../../stores/sqlite/connection.js'
import { createSqliteQuarantine } from '../../stores/sqlite/kept.js'
import type { SqlStatement } from '../../stores/sqlite/records.js'
import type { Quarantine } from '../../stores/store.js'
import { type AcceptedDelivery, type Inbox, type InboxProcessor, type InboxStatus, isFinished } from '../inbox.js'
import { readJob, type SpooledJob, spoolStatements } from './spool.js'

/** What `sqliteInbox` takes. */
export interface SqliteInboxOptions {
  /**
   * A `DatabaseSync` of `node:sqlite` or a `Database` of `better-sqlite3`: a connection that nothing else uses. It is switched to
   * write-ahead logging, `synchronous = FULL` and `busy_timeout = 0`.
   */
  readonly database: SqliteDatabase
  /** The table of waiting deliveries; the quarantine is beside it, as `<table>_quarantine`. Default: `'govalid_inbox'`. */
  readonly table?: string
  /** How many deliveries are worked at once in this process. Default: 10. */
  readonly concurrency?: number
  /** How often a delivery is tried before it is set aside. Default: 20, which takes ten and a half hours. */
  readonly attempts?: number
  /** The pause before the second try, in milliseconds; it doubles with each, up to an hour, give or take a fifth. Default: 5,000. */
  readonly firstPauseMs?: number
  /** How often is looked for what other processes accepted, in milliseconds. Default: 1,000. */
  readonly pollMs?: number
  /** The clock, for tests. */
  readonly clock?: Clock
}

/** An inbox in SQLite, with a quarantine of its own. */
export interface SqliteInbox extends Inbox {
  start(work: InboxProcessor): void
  stop(): Promise<void>
  status(): Promise<InboxStatus>
  /** Where deliveries go that failed on their last try; used where neither the receiver nor its store has another. */
  readonly quarantine: Quarantine
}

const CALL_MS = 900
/** Longer than a heartbeat by far: a job whose process has died is taken again after it. */
const LEASE_MS = 60_000
const HEARTBEAT_MS = 15_000
const MAX_PAUSE_MS = 60 * 60 * 1000
const TABLE = /^[A-Za-z_]\w{0,60}$/

/**
 * Makes an inbox in SQLite.
 *
 * @throws WebhookError `option_invalid` when `database` is neither library's, `table` no plain name, or a number not above 0.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite'
 * import { createReceiver } from 'govalid-webhooks'
 * import { sqliteInbox } from 'govalid-webhooks/inboxes/sqlite'
 * import { sqliteStore } from 'govalid-webhooks/stores/sqlite'
 *
 * const store = sqliteStore({ database: new DatabaseSync('webhooks.db') })
 * const inbox = sqliteInbox({ database: new DatabaseSync('webhooks.db') })
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store, inbox }).on('qr.scanned', async (event) => {
 *   await fetch('https://example.com/slow', { method: 'POST', body: JSON.stringify(event.data) })
 * })
 * ```
 */
export function sqliteInbox(options: SqliteInboxOptions): SqliteInbox {
  const { database, table = 'govalid_inbox', clock = systemClock } = options
  const limits = readLimits(options)
  if (typeof database?.prepare !== 'function' || !TABLE.test(table)) {
    throw new WebhookError(
      'option_invalid',
      'sqliteInbox takes { database, table? }: an open database and a plain table name.',
    )
  }
  const spool = spoolStatements(table)
  const kept = createSqliteQuarantine(`${table}_quarantine`, 'inbox', (work) => connection.transact(CALL_MS, work))
  const connection = createConnection(database, [...spool.schema, ...kept.schema], clock)
  const run = async (statement: SqlStatement) =>
    void (await connection.transact(CALL_MS, (steps) => steps.run(statement)))
  const rows = async (statement: SqlStatement) => connection.transact(CALL_MS, (steps) => steps.rows(statement))
  let worker: Worker | undefined
  return {
    quarantine: kept.quarantine,
    async accept(delivery: AcceptedDelivery) {
      await run(spool.accept(delivery, clock.now()))
      worker?.wake()
    },
    start(work) {
      worker ??= createWorker({
        clock,
        ...limits,
        work,
        take: async (count) => (await rows(spool.take(count, clock.now(), LEASE_MS))).map(readJob),
        renew: (job) => run(spool.renew(job, clock.now() + LEASE_MS)),
        finish: (job) => run(spool.finish(job)),
        retry: (job, pauseMs, counted) => run(spool.retry(job, clock.now() + pauseMs, counted)),
      })
      worker.wake()
    },
    async stop() {
      await worker?.stop()
      worker = undefined
    },
    async status() {
      const [row] = await rows(spool.count)
      const { waiting, working, oldest } = row as Record<string, number | null>
      const status: InboxStatus = {
        waiting: waiting ?? 0,
        processing: working ?? 0,
        failed: 0,
        oldestWaitingAt: oldest ?? undefined,
      }
      return status
    },
  }
}

interface Limits {
  readonly concurrency: number
  readonly attempts: number
  readonly firstPauseMs: number
  readonly pollMs: number
}

function readLimits(options: SqliteInboxOptions): Limits {
  const { concurrency = 10, attempts = 20, firstPauseMs = 5000, pollMs = 1000 } = options
  const limits: Limits = { concurrency, attempts, firstPauseMs, pollMs }
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new WebhookError('option_invalid', `${name} must be a whole number above 0; it is ${String(value)}.`)
  }
  return limits
}

interface WorkerMeans extends Limits {
  readonly clock: Clock
  readonly work: InboxProcessor
  take(count: number): Promise<readonly SpooledJob[]>
  renew(job: SpooledJob): Promise<void>
  finish(job: SpooledJob): Promise<void>
  retry(job: SpooledJob, pauseMs: number, counted: boolean): Promise<void>
}

interface Worker {
  /** Looks for work now. */
  wake(): void
  stop(): Promise<void>
}

function createWorker(means: WorkerMeans): Worker {
  const { clock, concurrency, pollMs } = means
  const running = new Set<Promise<void>>()
  let stopped = false
  let looking: Promise<void> | undefined
  let lookAgain = false
  let cancelPoll = () => {}
  const look = async (): Promise<void> => {
    do {
      lookAgain = false
      const room = concurrency - running.size
      // A spool that cannot be read now is asked again with the next poll.
      const jobs = room > 0 && !stopped ? await means.take(room).catch(() => []) : []
      for (const job of jobs) {
        const work = processJob(means, job)
        running.add(work)
        void work.finally(() => {
          running.delete(work)
          wake()
        })
      }
    } while (lookAgain && !stopped)
  }
  const wake = (): void => {
    lookAgain = true
    if (looking || stopped) return
    cancelPoll()
    looking = look().finally(() => {
      looking = undefined
      if (!stopped) cancelPoll = clock.setTimer(pollMs, wake)
    })
  }
  return {
    wake,
    async stop() {
      stopped = true
      cancelPoll()
      await looking
      cancelPoll()
      await Promise.all(running)
    },
  }
}

/** Works one job. A write that fails leaves it to its lease: it is worked again, and the store knows what was done. */
async function processJob(means: WorkerMeans, job: SpooledJob): Promise<void> {
  const { clock, attempts } = means
  let cancel = () => {}
  const beat = () => {
    cancel = clock.setTimer(HEARTBEAT_MS, beat)
    means.renew(job).catch(() => {})
  }
  cancel = clock.setTimer(HEARTBEAT_MS, beat)
  // A process that ended leaves its job to the lease, so nothing else stops one whose last try did.
  const attempt = { number: job.attempt, last: job.attempt >= attempts, over: job.attempt > attempts }
  const outcome = await means.work(job.delivery, attempt)
  cancel()
  if (isFinished(outcome)) return means.finish(job).catch(() => {})
  // Another worker has it, or the store is away: no try of the handler's.
  const counted = outcome.status === 'failed'
  const pauseMs = outcome.status === 'busy' ? LEASE_MS : backOff(means.firstPauseMs, job.attempt)
  return means.retry(job, pauseMs, counted).catch(() => {})
}

function backOff(firstPauseMs: number, attempt: number): number {
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), MAX_PAUSE_MS)
  return Math.round(pauseMs * (0.8 + 0.4 * Math.random()))
}
