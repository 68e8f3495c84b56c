/**
 * Inbox driver for BullMQ on Redis: any number of machines accept and process deliveries. BullMQ provides retries, back-off and the dead
 * letter queue (its failed jobs).
 *
 * Redis decides how durable a delivery is: `appendonly yes` with `appendfsync always` survives a power failure.
 */
import type * as BullMq from 'bullmq'
import { WebhookError } from '../errors.js'
import {
  fromJob,
  type Inbox,
  type InboxAttempt,
  type InboxProcessor,
  type InboxStatus,
  isFinished,
  type Job,
  toJob,
} from './inbox.js'

/** The options of `bullmqInbox`. */
export interface BullmqInboxOptions {
  /** BullMQ itself: `import * as bullmq from 'bullmq'`. */
  readonly bullmq: Pick<typeof BullMq, 'Queue' | 'Worker' | 'DelayedError'>
  /** BullMQ's connection: `{ host, port }`, or an ioredis client with `maxRetriesPerRequest: null`. */
  readonly connection: BullMq.ConnectionOptions
  /** The queue's name. Default: `'govalid-webhooks'`. */
  readonly queue?: string | undefined
  /** BullMQ's prefix for every key in Redis. Default: BullMQ's own, `'bull'`. */
  readonly prefix?: string | undefined
  /** The maximum number of deliveries that this process handles at once. Default: 10. */
  readonly concurrency?: number | undefined
  /** The number of attempts before a failing delivery is quarantined. Default: 20. */
  readonly attempts?: number | undefined
  /** The pause before the second attempt, in milliseconds. It doubles up to an hour, minus up to half at random. Default: 5,000. */
  readonly firstPauseMs?: number | undefined
  /** Receives BullMQ's connection errors. Without it they are dropped: the responses show an outage, and BullMQ reconnects by itself. */
  readonly onConnectionError?: ((error: Error) => void) | undefined
}

/** The pause before a retry that BullMQ must not count, in milliseconds. */
const NOT_COUNTED_PAUSE_MS = 60_000
/** BullMQ renews a lock after half of this time. Once it expires, BullMQ sees that the job's process has died. */
const LOCK_MS = 60_000
const BACKOFF = 'govalid'
const MAX_PAUSE_MS = 60 * 60 * 1000

/**
 * Creates an inbox on BullMQ. It connects with the first delivery or when the receiver starts it.
 *
 * @throws WebhookError `option_invalid` when `bullmq` isn't BullMQ, `connection` is missing, or a number isn't a whole number above 0.
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
  refuseInvalid(options, { concurrency, attempts, firstPauseMs })
  const shared = prefix === undefined ? { connection } : { connection, prefix }
  let queue: BullMq.Queue<Job> | undefined
  let worker: BullMq.Worker<Job> | undefined
  let isStopped = false
  const openQueue = (): BullMq.Queue<Job> => {
    const opened = new bullmq.Queue<Job>(name, shared)
    // Without a listener, Node ends the process when the connection fails.
    opened.on('error', onConnectionError)
    return opened
  }
  const withQueue = async <Result>(use: (opened: BullMq.Queue<Job>) => Promise<Result>): Promise<Result> => {
    if (!isStopped) {
      queue ??= openQueue()
      return use(queue)
    }
    // After `stop`, each call opens and closes its own queue: a kept connection would keep the process alive.
    const temporary = openQueue()
    try {
      return await use(temporary)
    } finally {
      await temporary.close()
    }
  }
  return {
    async accept(delivery) {
      // A finished job is removed to free its id. A failed job stays, because it is the dead letter.
      const kept = { jobId: delivery.key, attempts, removeOnComplete: true, removeOnFail: false }
      // The worker's own back-off: BullMQ's exponential pauses have no limit, and the twentieth would last days.
      const backoff = { type: BACKOFF }
      await withQueue((opened) => opened.add('delivery', toJob(delivery), { ...kept, backoff }))
    },
    start(process) {
      if (worker) return
      isStopped = false
      const lock = { lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: attempts }
      const settings = { backoffStrategy: (made: number) => pauseAfter(made, firstPauseMs) }
      const processJob = createJobProcessor(bullmq.DelayedError, process, attempts)
      worker = new bullmq.Worker<Job>(name, processJob, { ...shared, ...lock, concurrency, settings })
      worker.on('error', onConnectionError)
    },
    async stop() {
      await worker?.close()
      worker = undefined
      isStopped = true
      const opened = queue
      queue = undefined
      await opened?.close()
    },
    status: () => withQueue(readStatus),
  }
}

function refuseInvalid({ bullmq, connection }: BullmqInboxOptions, numbers: Readonly<Record<string, number>>): void {
  if (typeof bullmq?.Queue !== 'function' || typeof bullmq.Worker !== 'function' || connection === undefined) {
    throw new WebhookError(
      'option_invalid',
      "bullmqInbox needs { bullmq, connection }, with bullmq from: import * as bullmq from 'bullmq'. See docs/inbox.md.",
    )
  }
  for (const [option, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value > 0) continue
    const message = `${option} must be a whole number above 0; it is ${String(value)}. See docs/inbox.md.`
    throw new WebhookError('option_invalid', message)
  }
}

async function readStatus(queue: BullMq.Queue<Job>): Promise<InboxStatus> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed')
  const { waiting = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts
  const oldestWaitingAt = await readOldest(queue)
  return { waiting: waiting + prioritized + delayed, processing: active, failed, oldestWaitingAt }
}

function createJobProcessor(DelayedError: typeof BullMq.DelayedError, process: InboxProcessor, attempts: number) {
  return async function processJob(job: BullMq.Job<Job>, token?: string): Promise<void> {
    const outcome = await process(fromJob(job.data), attemptOf(job, attempts))
    if (isFinished(outcome)) return
    if (outcome.status === 'failed') throw toError(outcome.error)
    // Another worker holds the delivery or the store is unavailable. No handler failed, so BullMQ must not count the attempt.
    await job.moveToDelayed(Date.now() + NOT_COUNTED_PAUSE_MS, token)
    throw new DelayedError()
  }
}

function attemptOf(job: BullMq.Job<Job>, attempts: number): InboxAttempt {
  // BullMQ counts an attempt whose process died as stalled.
  const number = job.attemptsMade + job.stalledCounter + 1
  // The accepting process may be configured with fewer attempts, and BullMQ stops after those.
  const max = Math.min(attempts, job.opts.attempts ?? 1)
  return { number, last: number >= max, over: number > max }
}

function pauseAfter(made: number, firstPauseMs: number): number {
  const maxMs = Math.min(firstPauseMs * 2 ** (made - 1), MAX_PAUSE_MS)
  return Math.round(maxMs * (1 - Math.random() / 2))
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

async function readOldest(queue: BullMq.Queue<Job>): Promise<number | undefined> {
  const first = await queue.getJobs(['waiting', 'delayed'], 0, 0, true)
  const times = first.flatMap((job) => (job ? [job.timestamp] : []))
  return times.length === 0 ? undefined : Math.min(...times)
}
