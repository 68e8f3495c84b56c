/**
 * Inbox driver for BullMQ on Redis: many machines accept, many work. In: BullMQ itself and a connection. Retries, back-off and dead letters
 * (its failed jobs) are BullMQ's own.
 *
 * A delivery is as durable as Redis is told to keep it: `appendonly yes` with `appendfsync always` survives a power cut.
 */
import type * as BullMq from 'bullmq'
import { WebhookError } from '../errors.js'
import { fromJob, type Inbox, type InboxProcessor, type InboxStatus, isFinished, type Job, toJob } from './inbox.js'

/** What `bullmqInbox` takes. */
export interface BullmqInboxOptions {
  /** BullMQ itself: `import * as bullmq from 'bullmq'`. */
  readonly bullmq: Pick<typeof BullMq, 'Queue' | 'Worker' | 'DelayedError'>
  /** What BullMQ connects with: `{ host, port }`, or an ioredis client with `maxRetriesPerRequest: null`. */
  readonly connection: BullMq.ConnectionOptions
  /** The queue's name. Default: `'govalid-webhooks'`. */
  readonly queue?: string
  /** BullMQ's prefix of every key in Redis. Default: BullMQ's own, `'bull'`. */
  readonly prefix?: string
  /** How many deliveries are worked at once in this process. Default: 10. */
  readonly concurrency?: number
  /** How often a delivery is tried before it is set aside. Default: 20. */
  readonly attempts?: number
  /** The pause before the second try, in milliseconds; it doubles with each, up to an hour, less up to a half by chance. Default: 5,000. */
  readonly firstPauseMs?: number
  /** Called with what BullMQ reports of its connection; without it, it is left to the answers and to BullMQ's own reconnecting. */
  readonly onConnectionError?: (error: Error) => void
}

/** How long a job is waited for that another worker holds, or whose store is away. */
const NOT_COUNTED_PAUSE_MS = 60_000
/** BullMQ renews it by half; a job whose process has died is found stalled after it. */
const LOCK_MS = 60_000
const BACKOFF = 'govalid'
const MAX_PAUSE_MS = 60 * 60 * 1000

/**
 * Makes an inbox on BullMQ. Connects with the first delivery or when it is started.
 *
 * @throws WebhookError `option_invalid` when `bullmq` is not BullMQ, or a number is not above 0.
 *
 * @example
 * ```ts
 * import * as bullmq from 'bullmq'
 * import { createReceiver } from 'govalid-webhooks'
 * import { bullmqInbox } from 'govalid-webhooks/inboxes/bullmq'
 *
 * const inbox = bullmqInbox({ bullmq, connection: { host: '127.0.0.1', port: 6379 } })
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, inbox }).on('qr.scanned', (event) => console.log(event.data.qr_id))
 * ```
 */
export function bullmqInbox(options: BullmqInboxOptions): Inbox {
  const { bullmq, queue: name = 'govalid-webhooks', connection, prefix, onConnectionError = () => {} } = options
  const { concurrency = 10, attempts = 20, firstPauseMs = 5000 } = options
  if (typeof bullmq?.Queue !== 'function' || typeof bullmq.Worker !== 'function' || connection === undefined) {
    throw new WebhookError(
      'option_invalid',
      "bullmqInbox takes BullMQ and its connection: { bullmq, connection }, with import * as bullmq from 'bullmq'.",
    )
  }
  for (const [option, value] of Object.entries({ concurrency, attempts, firstPauseMs })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new WebhookError('option_invalid', `${option} must be a whole number above 0; it is ${String(value)}.`)
  }
  const shared = prefix === undefined ? { connection } : { connection, prefix }
  let queue: BullMq.Queue<Job> | undefined
  let worker: BullMq.Worker<Job> | undefined
  let stopped = false
  const open = (): BullMq.Queue<Job> => {
    const opened = new bullmq.Queue<Job>(name, shared)
    // Without a listener Node would end the process with the connection.
    opened.on('error', onConnectionError)
    return opened
  }
  const withQueue = async <Result>(use: (opened: BullMq.Queue<Job>) => Promise<Result>): Promise<Result> => {
    if (!stopped) {
      queue ??= open()
      return use(queue)
    }
    // Nobody stops it a second time: what is still asked gets a queue for that question alone, and keeps no process alive.
    const own = open()
    try {
      return await use(own)
    } finally {
      await own.close()
    }
  }
  return {
    async accept(delivery) {
      // A finished job is removed, so that its id is free; a failed one stays: it is the dead letter.
      const kept = { jobId: delivery.key, attempts: attempts, removeOnComplete: true, removeOnFail: false }
      // Of the worker's settings: BullMQ's own exponential pauses have no limit, and the twentieth would be days.
      const backoff = { type: BACKOFF }
      await withQueue((opened) => opened.add('delivery', toJob(delivery), { ...kept, backoff }))
    },
    start(work) {
      if (worker) return
      stopped = false
      const lock = { lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: attempts }
      const process = (job: BullMq.Job<Job>, token?: string) =>
        processJob(bullmq.DelayedError, work, job, token, attempts)
      const settings = { backoffStrategy: (made: number) => pauseAfter(made, firstPauseMs) }
      worker = new bullmq.Worker<Job>(name, process, { ...shared, ...lock, concurrency, settings })
      worker.on('error', onConnectionError)
    },
    async stop() {
      await worker?.close()
      worker = undefined
      stopped = true
      const opened = queue
      queue = undefined
      await opened?.close()
    },
    status: () => withQueue(readStatus),
  }
}

async function readStatus(queue: BullMq.Queue<Job>): Promise<InboxStatus> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed')
  const { waiting = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts
  const oldestWaitingAt = await oldestOf(queue)
  return { waiting: waiting + prioritized + delayed, processing: active, failed, oldestWaitingAt }
}

async function processJob(
  DelayedError: typeof BullMq.DelayedError,
  work: InboxProcessor,
  job: BullMq.Job<Job>,
  token: string | undefined,
  attempts: number,
): Promise<void> {
  // A try whose process died is counted by BullMQ as stalled.
  const number = job.attemptsMade + job.stalledCounter + 1
  // Whoever accepted it may have been told of fewer tries, and BullMQ gives up after those.
  const most = Math.min(attempts, job.opts.attempts ?? 1)
  const outcome = await work(fromJob(job.data), { number, last: number >= most, over: number > most })
  if (isFinished(outcome)) return
  if (outcome.status === 'failed') throw toError(outcome.error)
  // Another worker has it, or the store is away: no try of the handler's, so BullMQ must not count it.
  await job.moveToDelayed(Date.now() + NOT_COUNTED_PAUSE_MS, token)
  throw new DelayedError()
}

function pauseAfter(made: number, firstPauseMs: number): number {
  const longestMs = Math.min(firstPauseMs * 2 ** (made - 1), MAX_PAUSE_MS)
  return Math.round(longestMs * (1 - Math.random() / 2))
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

async function oldestOf(queue: BullMq.Queue<Job>): Promise<number | undefined> {
  const first = await queue.getJobs(['waiting', 'delayed'], 0, 0, true)
  const times = first.flatMap((job) => (job ? [job.timestamp] : []))
  return times.length === 0 ? undefined : Math.min(...times)
}
