/**
 * Inbox driver for BullMQ on Redis: any number of machines accept and process deliveries. BullMQ provides retries, back-off and the dead
 * letter queue (its failed jobs).
 *
 * Redis decides how durable a delivery is: `appendonly yes` with `appendfsync always` survives a power failure.
 */
import type * as BullMq from 'bullmq'
import { monotonicMs, systemClock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { createGroupWriter } from '../group-writer.js'
import { type AcceptedDelivery, type Inbox, type InboxStatus, type Job, toJob } from '../inbox.js'
import { checkOptions } from './check-options.js'
import { createQueueKeeper, type Opened, openEngine } from './engine.js'
import { createJobProcessor, pauseAfter } from './job-processor.js'

/** The options of `bullmqInbox`. */
export interface BullmqInboxOptions {
  /** BullMQ itself, 5 or newer: `import * as bullmq from 'bullmq'`. */
  readonly bullmq: Pick<typeof BullMq, 'Queue' | 'Worker' | 'DelayedError'>
  /** BullMQ's connection: `{ host, port }`, or an ioredis client, which is duplicated. A cluster needs a `prefix` in braces. */
  readonly connection: BullMq.ConnectionOptions
  /** The queue's name, without a colon. Default: `'govalid-webhooks'`. */
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

/** BullMQ renews a lock after half of this time. Once it expires, BullMQ sees that the job's process has died. */
const LOCK_MS = 60_000
const BACKOFF = 'govalid'
/** As long as a delivery may wait for its inbox, in milliseconds. */
const ACCEPT_MS = 4000
/** How long a start waits for Redis. The receiver starts the inbox again later. */
const START_MS = 3000
/** BullMQ would fail a job by itself that was fetched by so many dying processes. Its attempts count them, so the quarantine gets it. */
const MAX_STALLED = 1_000_000
/** Redis doesn't let the worker fetch jobs. BullMQ reports it again every 15 s. */
const REFUSED = /\b(NOPERM|NOAUTH|WRONGPASS)\b/
const REFUSED_MS = 30_000

/**
 * Creates an inbox on BullMQ. It connects with the first delivery or when the receiver starts it.
 *
 * @throws WebhookError `option_invalid` when `bullmq` isn't BullMQ 5 or newer, BullMQ would refuse the names or never process with this
 * `connection`, or a number isn't a whole number above 0.
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
  const { bullmq, connection, queue: name = 'govalid-webhooks', prefix = 'bull', onConnectionError } = options
  const { concurrency = 10, attempts = 20, firstPauseMs = 5000 } = options
  checkOptions({ bullmq, connection, queue: name, prefix, concurrency, attempts, firstPauseMs })
  let worker: Opened<BullMq.Worker<Job>> | undefined
  let startFailure: Error | undefined
  let lastError: unknown
  let refused: { readonly error: Error; readonly at: number } | undefined
  const onError = (error: Error) => {
    lastError = error
    void callQuietly(onConnectionError, error)
  }
  const onWorkerError = (error: Error) => {
    if (REFUSED.test(error.message)) refused = { error, at: monotonicMs(systemClock) }
    onError(error)
  }
  const keeper = createQueueKeeper(() =>
    openEngine(connection, (own) => new bullmq.Queue<Job>(name, { connection: own, prefix }), onError),
  )
  const writer = createGroupWriter<AcceptedDelivery>({
    writeGroup: (group) => keeper.use((queue) => addJobs(queue, group, attempts)),
    sizeOf: ({ rawBody }) => rawBody.length,
    // BullMQ's errors don't say. A delivery that is already there isn't written twice.
    isCausedByItem: () => true,
    clock: systemClock,
  })
  const within = async (ms: number, what: string, call: () => Promise<unknown>) => {
    const result = await withTimeout(systemClock, ms, call)
    if (result.status === 'error') throw result.error
    if (result.status === 'late') throw notInTime(what, ms, lastError)
  }
  return {
    async accept(delivery) {
      // A process that can't process what it accepts must not accept it.
      if (startFailure !== undefined) throw startFailure
      if (refused && monotonicMs(systemClock) - refused.at < REFUSED_MS) throw cannotFetch(refused.error)
      await within(ACCEPT_MS, 'accept the delivery', () => writer.write(delivery)).catch((error: unknown) => {
        writer.abandon(delivery)
        throw error
      })
    },
    async start(process) {
      if (worker) return
      keeper.keep()
      // A worker that can't set up its connection would block the event loop.
      await within(START_MS, 'connect', () => keeper.use((queue) => queue.waitUntilReady()))
      const processJob = createJobProcessor(bullmq.DelayedError, process, attempts)
      const lock = { lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: MAX_STALLED }
      const settings = { backoffStrategy: (made: number) => pauseAfter(made, firstPauseMs) }
      const create = (own: BullMq.ConnectionOptions) =>
        new bullmq.Worker<Job>(name, processJob, { connection: own, prefix, ...lock, concurrency, settings })
      try {
        worker = openEngine(connection, create, onWorkerError)
        startFailure = undefined
      } catch (error) {
        startFailure = error as Error
        throw error
      }
    },
    async stop() {
      await worker?.close()
      worker = undefined
      refused = undefined
      await keeper.release()
    },
    status: () => keeper.use(readStatus),
  }
}

function addJobs(queue: BullMq.Queue<Job>, group: readonly AcceptedDelivery[], attempts: number): Promise<unknown> {
  const jobs = group.map((delivery) => ({
    name: 'delivery',
    data: toJob(delivery),
    // A finished job is removed to free its id. A failed job stays, because it is the dead letter.
    // The worker has its own back-off: BullMQ's exponential pauses have no limit, and the twentieth would last days.
    opts: { jobId: delivery.key, attempts, removeOnComplete: true, removeOnFail: false, backoff: { type: BACKOFF } },
  }))
  const [first] = jobs
  return first && jobs.length === 1 ? queue.add(first.name, first.data, first.opts) : queue.addBulk(jobs)
}

/** A hook may throw or reject, which must not end the process. */
async function callQuietly(hook: BullmqInboxOptions['onConnectionError'], error: Error): Promise<void> {
  try {
    await (hook?.(error) as unknown)
  } catch {
    // BullMQ reconnects anyway.
  }
}

function cannotFetch(error: Error): WebhookError {
  const fix = 'Grant the user of the connection every command that BullMQ uses. See docs/inboxes/bullmq.md.'
  const message = `BullMQ can't fetch jobs, so none is accepted; Redis reports: ${error.message}. ${fix}`
  return new WebhookError('inbox_unavailable', message, { cause: error })
}

function notInTime(what: string, ms: number, lastError: unknown): WebhookError {
  const cause = lastError instanceof Error ? ` The last error of its connection: ${lastError.message}.` : ''
  const message = `BullMQ did not ${what} within ${ms} ms.${cause} See docs/inboxes/bullmq.md.`
  return new WebhookError('inbox_unavailable', message, lastError === undefined ? {} : { cause: lastError })
}

async function readStatus(queue: BullMq.Queue<Job>): Promise<InboxStatus> {
  // BullMQ 5 adds `paused`: the waiting jobs, while an operator has paused the queue.
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed')
  const { waiting = 0, paused = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts
  const oldestWaitingAt = await readOldest(queue)
  return { waiting: waiting + paused + prioritized + delayed, processing: active, failed, oldestWaitingAt }
}

async function readOldest(queue: BullMq.Queue<Job>): Promise<number | undefined> {
  const first = await queue.getJobs(['waiting', 'delayed'], 0, 0, true)
  const times = first.flatMap((job) => (job ? [job.timestamp] : []))
  return times.length === 0 ? undefined : Math.min(...times)
}
