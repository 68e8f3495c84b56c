/**
 * Inbox driver for pg-boss on Postgres: any number of machines accept and process deliveries. pg-boss provides retries, back-off, heartbeats
 * and the dead letter queue. A job's id is a UUID made of the first half of the delivery's key.
 */
import type { JobWithMetadata, PgBoss } from 'pg-boss'
import { WebhookError } from '../errors.js'
import { fromJob, type Inbox, type InboxProcessor, type InboxStatus, isFinished, type Job, toJob } from './inbox.js'

/** The options of `pgBossInbox`. */
export interface PgBossInboxOptions {
  /** A pg-boss instance, started or not: `new PgBoss(connectionString)`. The inbox starts it. You stop it, after `receiver.close()`. */
  readonly boss: PgBoss
  /** The queue's name. Its dead letter queue is called `<queue>-dead`. Default: `'govalid-webhooks'`. */
  readonly queue?: string | undefined
  /** The Postgres schema of the pg-boss instance. Default: pg-boss's own, `'pgboss'`. */
  readonly schema?: string | undefined
  /** The maximum number of deliveries that this process handles at once. Default: 10. */
  readonly concurrency?: number | undefined
  /** The number of attempts before a failing delivery is quarantined. Default: 20. */
  readonly attempts?: number | undefined
  /** The pause before the second attempt, in seconds. It doubles up to an hour, with jitter. Default: 5. */
  readonly firstPauseSeconds?: number | undefined
  /** The interval between polls for new deliveries, in seconds, at least 0.5. Default: 1. */
  readonly pollSeconds?: number | undefined
}

const HOUR_S = 3600
const YEAR_S = 365 * 24 * HOUR_S
/** pg-boss's minimum. Its worker sends a heartbeat after half of it, and a job whose process has died is retried after it. */
const HEARTBEAT_S = 60
/** pg-boss's minimum. */
const MIN_POLL_S = 0.5
const NAME = /^[\w.-]{1,100}$/

/**
 * Creates an inbox on pg-boss. With the first delivery, or when the receiver starts it, it starts the instance and creates the queues.
 *
 * @throws WebhookError `option_invalid` when `boss` isn't a pg-boss instance, or a name or number isn't usable.
 *
 * @example
 * ```ts
 * import { PgBoss } from 'pg-boss'
 * import { createReceiver } from 'govalid-webhooks'
 * import { pgBossInbox } from 'govalid-webhooks/inboxes/pg-boss'
 *
 * const boss = new PgBoss('postgres://localhost/app')
 * boss.on('error', console.error)
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, inbox: pgBossInbox({ boss }) }).on('qr.scanned', (event) => {
 *   console.log(event.data.qr_id)
 * })
 * ```
 */
export function pgBossInbox(options: PgBossInboxOptions): Inbox {
  const { boss, queue = 'govalid-webhooks', schema = 'pgboss' } = options
  refuseInvalid(boss, { queue, schema })
  const limits = readLimits(options)
  const { attempts } = limits
  const open = createOpener(boss, queue, limits)
  let started: Promise<void> | undefined
  return {
    async accept(delivery) {
      await open()
      // pg-boss keeps the first job of an id: sending the id again inserts nothing and returns null.
      // The job carries its own number of attempts, because a queue keeps the number it was created with.
      await boss.send(queue, toJob(delivery), { id: toUuid(delivery.key), retryLimit: attempts - 1 })
    },
    start(process) {
      started ??= open()
        .then(() => startWorkers(boss, queue, limits, process))
        .catch((error: unknown) => {
          started = undefined
          throw error
        })
      return started
    },
    async stop() {
      if (!started) return
      // A start in progress would otherwise leave workers running after the stop.
      await started.catch(() => {})
      started = undefined
      await boss.offWork(queue, { wait: true })
    },
    async status() {
      await open()
      const { rows } = await boss.getDb().executeSql(countSql(schema), [queue, `${queue}-dead`])
      return toStatus(rows[0] as CountRow)
    },
  }
}

function refuseInvalid(boss: PgBoss, names: Readonly<Record<string, string>>): void {
  if (typeof boss?.send !== 'function' || typeof boss.createQueue !== 'function') {
    const message = 'boss must be a pg-boss instance: new PgBoss(connectionString). See docs/inbox.md.'
    throw new WebhookError('option_invalid', message)
  }
  for (const [option, value] of Object.entries(names)) {
    if (NAME.test(value)) continue
    const message = `${option} must have 1 to 100 characters, only letters, digits and _ . -. See docs/inbox.md.`
    throw new WebhookError('option_invalid', message)
  }
}

type LimitName = 'concurrency' | 'attempts' | 'firstPauseSeconds' | 'pollSeconds'
type Limits = { readonly [Name in LimitName]: number }

function readLimits(options: PgBossInboxOptions): Limits {
  const { concurrency = 10, attempts = 20, firstPauseSeconds = 5, pollSeconds = 1 } = options
  for (const [option, value] of Object.entries({ concurrency, attempts, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    const message = `${option} must be a whole number above 0; it is ${String(value)}. See docs/inbox.md.`
    throw new WebhookError('option_invalid', message)
  }
  if (!Number.isFinite(pollSeconds) || pollSeconds < MIN_POLL_S) {
    const message = `pollSeconds must be a number, at least ${MIN_POLL_S}; it is ${String(pollSeconds)}. See docs/inbox.md.`
    throw new WebhookError('option_invalid', message)
  }
  return { concurrency, attempts, firstPauseSeconds, pollSeconds }
}

/** Returns a function that starts the instance and creates the queues once. After a failure, the next call repeats it. */
function createOpener(boss: PgBoss, queue: string, { attempts, firstPauseSeconds }: Limits): () => Promise<void> {
  let opened: Promise<void> | undefined
  const open = async (): Promise<void> => {
    await boss.start()
    const dead = `${queue}-dead`
    await boss.createQueue(dead, { retentionSeconds: YEAR_S })
    const retries = {
      retryLimit: attempts - 1,
      retryDelay: firstPauseSeconds,
      retryBackoff: true,
      retryDelayMax: HOUR_S,
    }
    const lifetimes = { retentionSeconds: YEAR_S, expireInSeconds: HOUR_S - 1, heartbeatSeconds: HEARTBEAT_S }
    await boss.createQueue(queue, { ...retries, ...lifetimes, deadLetter: dead })
  }
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}

async function startWorkers(
  boss: PgBoss,
  queue: string,
  { concurrency, attempts, pollSeconds }: Limits,
  process: InboxProcessor,
): Promise<void> {
  const polling = { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: pollSeconds } as const
  const workers = Array.from({ length: concurrency }, async () => {
    const id: string = await boss.work<Job>(queue, polling, async ([job]) => {
      // More jobs may be waiting, so this worker polls again immediately instead of after its pause.
      boss.notifyWorker(id)
      if (job) await processJob(process, job as JobWithMetadata<Job>, attempts)
    })
  })
  const results = await Promise.allSettled(workers)
  const failed = results.find((result) => result.status === 'rejected')
  if (!failed) return
  // The workers that did start would otherwise run in addition to the workers of the next start.
  await boss.offWork(queue, { wait: true })
  throw failed.reason
}

async function processJob(process: InboxProcessor, job: JobWithMetadata<Job>, attempts: number): Promise<void> {
  const number = job.retryCount + 1
  const outcome = await process(fromJob(job.data), { number, last: number > Math.min(attempts - 1, job.retryLimit) })
  if (isFinished(outcome)) return
  // pg-boss counts every attempt, even if the store was unavailable. With pauses of up to an hour, twenty attempts outlast an outage.
  const error = 'error' in outcome ? outcome.error : undefined
  throw error instanceof Error ? error : new Error(`The delivery is not finished; its outcome is ${outcome.status}.`)
}

function toUuid(key: string): string {
  return [key.slice(0, 8), key.slice(8, 12), key.slice(12, 16), key.slice(16, 20), key.slice(20, 32)].join('-')
}

interface CountRow {
  readonly waiting: string
  readonly processing: string
  readonly failed: string
  readonly oldest: string | null
}

function countSql(schema: string): string {
  return `SELECT
  count(*) FILTER (WHERE name = $1 AND state IN ('created', 'retry')) AS waiting,
  count(*) FILTER (WHERE name = $1 AND state = 'active') AS processing,
  count(*) FILTER (WHERE name = $2 AND state = 'created') AS failed,
  floor(extract(epoch FROM min(created_on) FILTER (WHERE name = $1 AND state IN ('created', 'retry'))) * 1000) AS oldest
FROM "${schema}".job WHERE name IN ($1, $2)`
}

function toStatus({ waiting, processing, failed, oldest }: CountRow): InboxStatus {
  const oldestWaitingAt = oldest === null || oldest === undefined ? undefined : Number(oldest)
  return { waiting: Number(waiting), processing: Number(processing), failed: Number(failed), oldestWaitingAt }
}
