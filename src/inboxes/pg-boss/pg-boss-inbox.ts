/**
 * Inbox driver for pg-boss on Postgres: any number of machines accept and process deliveries. pg-boss provides retries, back-off and the
 * dead letter queue. Jobs are inserted, fetched and finished in groups. A job's id is a UUID made of the first half of the delivery's key.
 */
import type { PgBoss } from 'pg-boss'
import { systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { codeOf, isStatementError, UNDEFINED_TABLE } from '../../stores/postgres/server-errors.js'
import { createGroupWriter } from '../group-writer.js'
import { type Inbox, type InboxStatus, toJob } from '../inbox.js'
import { repeatOnFailover } from './failover.js'
import { createJobLoop, type JobLoop } from './job-loop.js'

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
/** A job whose process has died is retried after this time. The loop sends a heartbeat after half of it. */
const HEARTBEAT_S = 60
const MIN_POLL_S = 0.5
/** The largest `integer` of Postgres. */
const MAX_INTEGER = 2 ** 31 - 1
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
  assertBoss(boss)
  assertNames({ queue, schema })
  const limits = readLimits(options)
  const opener = createOpener(boss, queue, limits)
  const writer = createGroupWriter<NewJob>({
    // One statement can't insert an id twice. An id that is already in the queue is skipped.
    writeGroup(jobs) {
      const distinct = new Map(jobs.map((job) => [job.id, job]))
      return repeatOnFailover(systemClock, () => boss.insert(queue, [...distinct.values()]))
    },
    sizeOf: ({ data }) => data.body.length,
    isCausedByItem: isStatementError,
    clock: systemClock,
  })
  let loop: JobLoop | undefined
  let started: Promise<void> | undefined
  return {
    async accept(delivery) {
      await opener.open()
      // The job carries its own number of attempts, because a queue keeps the number it was created with.
      const job = { id: toUuid(delivery.key), data: toJob(delivery), retryLimit: limits.attempts - 1 }
      await writer.write(job).catch(async (error: unknown) => {
        if (!isMissingQueue(error)) throw error
        opener.forget()
        await opener.open()
        await writer.write(job)
      })
      loop?.wake()
    },
    start(process) {
      const { concurrency, attempts, pollSeconds } = limits
      const startLoop = async () => {
        await opener.open()
        const settings = { concurrency, attempts, pollMs: pollSeconds * 1000 }
        const next = createJobLoop({ boss, queue, clock: systemClock, process, ...settings })
        await next.start()
        loop = next
      }
      started ??= startLoop().catch((error: unknown) => {
        started = undefined
        throw error
      })
      return started
    },
    async stop() {
      // A start in progress would otherwise leave a loop running after the stop.
      await started?.catch(() => {})
      started = undefined
      await loop?.stop()
      loop = undefined
    },
    async status() {
      await opener.open()
      const { rows } = await boss
        .getDb()
        .executeSql(countSql(schema), [queue, `${queue}-dead`])
        .catch((error: unknown) => {
          throw codeOf(error) === UNDEFINED_TABLE ? otherSchema(schema, error) : error
        })
      return toStatus(rows[0] as CountRow)
    },
  }
}

interface NewJob {
  readonly id: string
  readonly data: ReturnType<typeof toJob>
  readonly retryLimit: number
}

/** pg-boss 12.12 was the first version with heartbeats, without which a job whose process has died waits for an hour. */
const METHODS = ['start', 'createQueue', 'getQueue', 'insert', 'fetch', 'complete', 'fail', 'touch', 'getDb'] as const

function assertBoss(boss: PgBoss): void {
  const missing = METHODS.filter((method) => typeof boss?.[method] !== 'function')
  if (missing.length === 0) return
  const isOld = typeof (boss as Partial<PgBoss> | undefined)?.send === 'function'
  const message = isOld
    ? `boss is of a version of pg-boss that is too old: it has no ${missing.join(', ')}. Use pg-boss 12.12 or newer: npm install pg-boss@12.`
    : 'boss must be a pg-boss instance: new PgBoss(connectionString).'
  throw new WebhookError('option_invalid', `${message} See docs/inboxes/pg-boss.md.`)
}

function assertNames(names: Readonly<Record<string, string>>): void {
  for (const [option, value] of Object.entries(names)) {
    if (NAME.test(value)) continue
    const message = `${option} must have 1 to 100 characters, only letters, digits and _ . -; it is ${JSON.stringify(value)}. See docs/inboxes/pg-boss.md.`
    throw new WebhookError('option_invalid', message)
  }
}

type LimitName = 'concurrency' | 'attempts' | 'firstPauseSeconds' | 'pollSeconds'
type Limits = { readonly [Name in LimitName]: number }

function readLimits(options: PgBossInboxOptions): Limits {
  const { concurrency = 10, attempts = 20, firstPauseSeconds = 5, pollSeconds = 1 } = options
  for (const [option, value] of Object.entries({ concurrency, attempts, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0 && value <= MAX_INTEGER) continue
    const message = `${option} must be a whole number from 1 to ${MAX_INTEGER}; it is ${String(value)}. See docs/inboxes/pg-boss.md.`
    throw new WebhookError('option_invalid', message)
  }
  if (!(typeof pollSeconds === 'number' && pollSeconds >= MIN_POLL_S && pollSeconds <= HOUR_S)) {
    const message = `pollSeconds must be a number from ${MIN_POLL_S} to ${HOUR_S}; it is ${String(pollSeconds)}. See docs/inboxes/pg-boss.md.`
    throw new WebhookError('option_invalid', message)
  }
  return { concurrency, attempts, firstPauseSeconds, pollSeconds }
}

interface Opener {
  /** Starts the instance and creates the queues once. After a failure, the next call repeats it. */
  open(): Promise<void>
  /** A queue is missing, so the next call creates it again. */
  forget(): void
}

function createOpener(boss: PgBoss, queue: string, { attempts, firstPauseSeconds }: Limits): Opener {
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
    for (const name of [queue, dead]) assertStandard(name, (await boss.getQueue(name))?.policy)
  }
  return {
    open() {
      opened ??= repeatOnFailover(systemClock, open).catch((error: unknown) => {
        opened = undefined
        throw error
      })
      return opened
    },
    forget() {
      opened = undefined
    },
  }
}

/** pg-boss keeps the policy that a queue was created with. Any other policy drops or refuses some jobs without an error. */
function assertStandard(queue: string, policy: string | undefined): void {
  if (policy === undefined || policy === 'standard') return
  const message = `The pg-boss queue ${queue} exists with the policy ${policy}, which would drop deliveries. Choose another name with \`queue\`, or delete that queue. See docs/inboxes/pg-boss.md.`
  throw new WebhookError('option_invalid', message)
}

function isMissingQueue(error: unknown): boolean {
  return error instanceof Error && /queue .*does not exist/i.test(error.message)
}

function otherSchema(schema: string, cause: unknown): WebhookError<'option_invalid'> {
  const message = `There is no pg-boss in the schema ${schema}. Set \`schema\` to the schema of your pg-boss instance. See docs/inboxes/pg-boss.md.`
  return new WebhookError('option_invalid', message, { cause })
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
