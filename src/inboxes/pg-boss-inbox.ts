/**
 * Inbox driver for pg-boss on Postgres: many machines accept, many work. In: a pg-boss instance. Retries, back-off, heartbeats and the dead
 * letter queue are pg-boss's own. Ids are UUIDs, made of the first half of the key.
 */
import type { JobWithMetadata, PgBoss } from 'pg-boss'
import { WebhookError } from '../errors.js'
import { fromJob, type Inbox, type InboxProcessor, isFinished, type Job, toJob } from './inbox.js'

/** What `pgBossInbox` takes. */
export interface PgBossInboxOptions {
  /** A pg-boss instance, started or not: `new PgBoss(connectionString)`. It is started by the inbox, and stopped by whoever made it. */
  readonly boss: PgBoss
  /** The queue's name; its dead letter queue is beside it, as `<queue>-dead`. Default: `'govalid-webhooks'`. */
  readonly queue?: string
  /** The Postgres schema the instance was made with. Default: pg-boss's own, `'pgboss'`. */
  readonly schema?: string
  /** How many deliveries are worked at once in this process. Default: 10. */
  readonly concurrency?: number
  /** How often a delivery is tried before it is set aside. Default: 20. */
  readonly attempts?: number
  /** The pause before the second try, in seconds; it doubles with each, up to an hour, with jitter. Default: 5. */
  readonly firstPauseSeconds?: number
  /** How often is looked for new deliveries, in seconds, at least 0.5. Default: 1. */
  readonly pollSeconds?: number
}

const HOUR_S = 3600
const YEAR_S = 365 * 24 * HOUR_S
/** pg-boss's least; its worker beats by half. A job whose process has died is tried again after it. */
const HEARTBEAT_S = 60
/** pg-boss's least. */
const LEAST_POLL_S = 0.5
const NAME = /^[\w.-]{1,100}$/

/**
 * Makes an inbox on pg-boss. Starts the instance and creates the queues with the first delivery or when it is started.
 *
 * @throws WebhookError `option_invalid` when `boss` is no pg-boss instance, or a name or number is not usable.
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
  refuseMisuse(boss, { queue, schema })
  const { concurrency, pollSeconds, attempts, firstPauseSeconds } = readLimits(options)
  const open = createOpener(boss, queue, { attempts, firstPauseSeconds })
  let working: Promise<void> | undefined
  const begin = async (work: InboxProcessor): Promise<void> => {
    await open()
    const polling = { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: pollSeconds } as const
    const hands = Array.from({ length: concurrency }, async () => {
      const id: string = await boss.work<Job>(queue, polling, async ([job]) => {
        // Where one was, more may wait: this hand looks again at once, and not after its pause.
        boss.notifyWorker(id)
        if (job) await processJob(work, job as JobWithMetadata<Job>, attempts)
      })
    })
    const settled = await Promise.allSettled(hands)
    const failed = settled.find((hand) => hand.status === 'rejected')
    if (!failed) return
    // The hands that did begin would go on beside those of the next start.
    await boss.offWork(queue, { wait: true })
    throw failed.reason
  }
  return {
    async accept(delivery) {
      await open()
      // The same id again is not inserted: pg-boss answers null, and the first stays.
      // The tries are its own too: the queue keeps the number it was created with.
      await boss.send(queue, toJob(delivery), { id: toUuid(delivery.key), retryLimit: attempts - 1 })
    },
    start(work) {
      working ??= begin(work).catch((error: unknown) => {
        working = undefined
        throw error
      })
      return working
    },
    async stop() {
      if (!working) return
      // What is about to begin would go on after it.
      await working.catch(() => {})
      working = undefined
      await boss.offWork(queue, { wait: true })
    },
    async status() {
      await open()
      const { rows } = await boss.getDb().executeSql(countSql(schema), [queue, `${queue}-dead`])
      const { waiting, working: active, failed, oldest } = rows[0] as Record<string, string | null>
      const oldestWaitingAt = oldest === null || oldest === undefined ? undefined : Number(oldest)
      return { waiting: Number(waiting), processing: Number(active), failed: Number(failed), oldestWaitingAt }
    },
  }
}

function refuseMisuse(boss: PgBoss, names: Readonly<Record<string, string>>): void {
  if (typeof boss?.send !== 'function' || typeof boss.createQueue !== 'function') {
    throw new WebhookError('option_invalid', 'boss must be a pg-boss instance: new PgBoss(connectionString).')
  }
  for (const [option, value] of Object.entries(names)) {
    if (NAME.test(value)) continue
    throw new WebhookError('option_invalid', `${option} must be letters, digits, or any of _ . -`)
  }
}

type Limits = Required<Pick<PgBossInboxOptions, 'concurrency' | 'attempts' | 'firstPauseSeconds' | 'pollSeconds'>>

function readLimits(options: PgBossInboxOptions): Limits {
  const { concurrency = 10, attempts = 20, firstPauseSeconds = 5, pollSeconds = 1 } = options
  for (const [option, value] of Object.entries({ concurrency, attempts, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new WebhookError('option_invalid', `${option} must be a whole number above 0; it is ${String(value)}.`)
  }
  if (!Number.isFinite(pollSeconds) || pollSeconds < LEAST_POLL_S) {
    const message = `pollSeconds must be a number, at least ${LEAST_POLL_S}; it is ${String(pollSeconds)}.`
    throw new WebhookError('option_invalid', message)
  }
  return { concurrency, attempts, firstPauseSeconds, pollSeconds }
}

/** Starts the instance and creates the queues once; a failure is tried again with the next call. */
function createOpener(
  boss: PgBoss,
  queue: string,
  { attempts, firstPauseSeconds }: Pick<Limits, 'attempts' | 'firstPauseSeconds'>,
): () => Promise<void> {
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
    const lives = { retentionSeconds: YEAR_S, expireInSeconds: HOUR_S - 1, heartbeatSeconds: HEARTBEAT_S }
    await boss.createQueue(queue, { ...retries, ...lives, deadLetter: dead })
  }
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}

async function processJob(work: InboxProcessor, job: JobWithMetadata<Job>, attempts: number): Promise<void> {
  const number = job.retryCount + 1
  const outcome = await work(fromJob(job.data), { number, last: number > Math.min(attempts - 1, job.retryLimit) })
  if (isFinished(outcome)) return
  // pg-boss counts every try it hands out, also one that found the store away; its own pauses grow to an hour, so twenty are enough.
  const error = 'error' in outcome ? outcome.error : undefined
  throw error instanceof Error ? error : new Error(`not finished: ${outcome.status}`)
}

function toUuid(key: string): string {
  return [key.slice(0, 8), key.slice(8, 12), key.slice(12, 16), key.slice(16, 20), key.slice(20, 32)].join('-')
}

function countSql(schema: string): string {
  return `SELECT
  count(*) FILTER (WHERE name = $1 AND state IN ('created', 'retry')) AS waiting,
  count(*) FILTER (WHERE name = $1 AND state = 'active') AS working,
  count(*) FILTER (WHERE name = $2 AND state = 'created') AS failed,
  floor(extract(epoch FROM min(created_on) FILTER (WHERE name = $1 AND state IN ('created', 'retry'))) * 1000) AS oldest
FROM "${schema}".job WHERE name IN ($1, $2)`
}
