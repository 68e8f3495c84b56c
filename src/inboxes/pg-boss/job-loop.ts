/**
 * Fetches jobs in groups, processes them at the same time, and finishes them in groups. A slow handler takes one place and delays
 * no other job.
 */
import type { JobWithMetadata, PgBoss } from 'pg-boss'
import type { Clock } from '../../clock.js'
import { isStatementError } from '../../stores/postgres/server-errors.js'
import { createGroupWriter } from '../group-writer.js'
import { fromJob, type InboxProcessor, isFinished, type Job } from '../inbox.js'
import { repeatOnFailover } from './failover.js'

/** Processes the jobs of one queue. */
export interface JobLoop {
  /** Fetches jobs until `stop`. Rejects if the first fetch fails. */
  start(): Promise<void>
  /** Fetches now instead of after the pause. */
  wake(): void
  /** Fetches no more jobs, and resolves once all fetched ones are finished. */
  stop(): Promise<void>
}

/** The options of {@link createJobLoop}. */
export interface JobLoopOptions {
  readonly boss: PgBoss
  readonly queue: string
  readonly clock: Clock
  readonly process: InboxProcessor
  readonly concurrency: number
  readonly attempts: number
  readonly pollMs: number
}

/** Half of the shortest heartbeat that the queue allows. */
const HEARTBEAT_EVERY_MS = 30_000

/** Creates a loop that fetches nothing yet. */
export function createJobLoop(options: JobLoopOptions): JobLoop {
  const { boss, queue, clock, process, concurrency, attempts, pollMs } = options
  /** Jobs whose end isn't recorded yet. */
  const held = new Map<string, Promise<void>>()
  const completions = createGroupWriter<string>({
    writeGroup: (ids) => repeatOnFailover(clock, () => boss.complete(queue, [...ids])),
    sizeOf: () => 0,
    isCausedByItem: isStatementError,
    clock,
  })
  let running = 0
  let isStopped = false
  let mayHaveMore = false
  let isAwake = false
  let endPause = () => {}
  let endHeartbeat = () => {}
  let loop = Promise.resolve()

  function wake(): void {
    isAwake = true
    endPause()
  }

  function stopFetching(): void {
    isStopped = true
    wake()
  }

  /** The application has stopped pg-boss. A timer would keep its process alive. */
  function onBossStopped(): void {
    stopFetching()
    endHeartbeat()
  }

  async function pause(): Promise<void> {
    if (!isAwake) {
      await new Promise<void>((resolve) => {
        const cancel = clock.setTimer(pollMs, resolve)
        endPause = () => {
          cancel()
          resolve()
        }
      })
    }
    isAwake = false
  }

  async function fetchJobs(): Promise<void> {
    const free = concurrency - running
    if (free <= 0) return
    const fetched = await repeatOnFailover(clock, () =>
      boss.fetch<Job>(queue, { batchSize: free, includeMetadata: true }),
    )
    const jobs = (fetched ?? []) as JobWithMetadata<Job>[]
    mayHaveMore = jobs.length === free
    for (const job of jobs) {
      const ended = runJob(job).catch(report)
      held.set(job.id, ended)
      void ended.then(() => held.delete(job.id))
    }
  }

  async function runJob(job: JobWithMetadata<Job>): Promise<void> {
    running++
    const number = Number(job.retryCount) + 1
    const last = number > Math.min(attempts - 1, Number(job.retryLimit))
    const outcome = await process(fromJob(parsed(job.data)), { number, last }).finally(() => running--)
    // Fetching for half of the places at once takes fewer statements than fetching for each.
    if (mayHaveMore && concurrency - running >= concurrency / 2) wake()
    if (isFinished(outcome)) return completions.write(job.id)
    // pg-boss counts every attempt, even if the store was unavailable. With pauses of up to an hour, twenty attempts outlast an outage.
    const error = 'error' in outcome ? outcome.error : undefined
    const message = `The delivery is not finished; its outcome is ${outcome.status}.`
    const failure = error instanceof Error ? error : new Error(message)
    const fail = (reason: Error) => repeatOnFailover(clock, () => boss.fail(queue, job.id, reason))
    // Postgres can't store every text, such as NUL in the message of a handler's error. The job must be retried all the same.
    await fail(failure).catch(() => fail(new Error(message)))
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await pause()
      if (!isStopped) await fetchJobs().catch(report)
    }
  }

  function beat(): void {
    endHeartbeat = clock.setTimer(HEARTBEAT_EVERY_MS, () => {
      if (held.size > 0) void boss.touch(queue, [...held.keys()]).catch(report)
      beat()
    })
  }

  /** pg-boss reports its own errors in the same way. Without a listener, an emitted error would end the process. */
  function report(error: unknown): void {
    if (boss.listenerCount('error') > 0) boss.emit('error', error as Error)
  }

  return {
    wake,
    async start() {
      await fetchJobs()
      boss.once('stopped', onBossStopped)
      beat()
      loop = run()
    },
    async stop() {
      boss.off('stopped', onBossStopped)
      stopFetching()
      await loop
      await Promise.all(held.values())
      endHeartbeat()
    },
  }
}

/** An application may have changed how `pg` parses JSON, for all pools of its process. */
function parsed(data: unknown): unknown {
  if (typeof data !== 'string') return data
  try {
    return JSON.parse(data)
  } catch {
    return data
  }
}
