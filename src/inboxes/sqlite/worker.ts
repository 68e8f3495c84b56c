/**
 * The worker of the SQLite inbox: takes due jobs from the spool, processes them, and writes back how they ended.
 */
import { type Clock, runSoon } from '../../clock.js'
import type { Outcome } from '../../types.js'
import { type InboxProcessor, isFinished } from '../inbox.js'
import type { SpooledJob } from './spool.js'

/** A job's lease, several heartbeats long. A job whose process has died is taken again once the lease expires. */
export const LEASE_MS = 60_000
const HEARTBEAT_MS = 15_000
const MAX_PAUSE_MS = 60 * 60 * 1000

/** The spool of waiting jobs, as the worker uses it. */
export interface Spool {
  /** Whether the deliveries that wait to be accepted could get late responses. */
  isFlooded(): boolean
  /** Takes up to `count` due jobs. */
  take(count: number): Promise<readonly SpooledJob[]>
  /** Extends a job's lease. */
  renew(job: SpooledJob): Promise<void>
  /** Removes a finished job. */
  finish(job: SpooledJob): Promise<void>
  /** Returns a job for a retry after a pause. If it isn't counted, the attempt is taken back. */
  retry(job: SpooledJob, pauseMs: number, isCounted: boolean): Promise<void>
}

/** The limits of a worker; see `SqliteInboxOptions`. */
export interface WorkerLimits {
  readonly concurrency: number
  readonly attempts: number
  readonly firstPauseMs: number
  readonly pollMs: number
  readonly keepAlive: boolean
}

/** A running worker. */
export interface Worker {
  /** Polls now. */
  wake(): void
  /** Takes no further job and waits for the running ones. */
  stop(): Promise<void>
}

/** Creates a worker that polls when it is woken, when a job ends, and every `pollMs`. */
export function createWorker(clock: Clock, limits: WorkerLimits, spool: Spool, process: InboxProcessor): Worker {
  const { concurrency, pollMs, keepAlive } = limits
  const running = new Set<Promise<void>>()
  let handling = 0
  let isStopped = false
  let polling: Promise<void> | undefined
  let pollAgain = false
  let cancelTimer = () => {}
  const processJob = async (job: SpooledJob): Promise<void> => {
    const stopHeartbeat = startHeartbeat(clock, () => spool.renew(job))
    handling++
    const outcome = await process(job.delivery, attemptOf(job, limits))
    handling--
    stopHeartbeat()
    // The jobs that end in the same turn are replaced together, in the same group of writes.
    runSoon(clock, wake)
    await endJob(spool, job, outcome, limits)
  }
  const startJob = (job: SpooledJob): void => {
    const ended = processJob(job)
    running.add(ended)
    void ended.finally(() => running.delete(ended))
  }
  const poll = async (): Promise<void> => {
    do {
      pollAgain = false
      // GoValid waits for a response, but not for a handler. Each accepted delivery wakes the worker again.
      const room = spool.isFlooded() ? 0 : concurrency - handling
      // If the spool can't be read now, the next poll reads it.
      const jobs = room > 0 && !isStopped ? await spool.take(room).catch(() => []) : []
      for (const job of jobs) startJob(job)
    } while (pollAgain && !isStopped)
  }
  const wake = (): void => {
    pollAgain = true
    if (polling || isStopped) return
    cancelTimer()
    polling = poll().finally(() => {
      polling = undefined
      if (!isStopped) cancelTimer = clock.setTimer(pollMs, wake, { isIdle: !keepAlive })
    })
  }
  return {
    wake,
    async stop() {
      isStopped = true
      cancelTimer()
      await polling
      cancelTimer()
      await Promise.all(running)
    },
  }
}

function startHeartbeat(clock: Clock, renew: () => Promise<void>): () => void {
  let cancel = () => {}
  const beat = () => {
    cancel = clock.setTimer(HEARTBEAT_MS, beat)
    renew().catch(() => {})
  }
  cancel = clock.setTimer(HEARTBEAT_MS, beat)
  return () => cancel()
}

/** Sets `over` if the process died during the last attempt: its lease has expired, and the job would otherwise run without end. */
function attemptOf({ attempt: number }: SpooledJob, { attempts }: WorkerLimits) {
  return { number, last: number >= attempts, over: number > attempts }
}

/** Writes back how a job ended. After a failed write the lease expires and the job is processed again, but the store knows what was done. */
async function endJob(spool: Spool, job: SpooledJob, outcome: Outcome, { firstPauseMs }: WorkerLimits): Promise<void> {
  if (isFinished(outcome)) return spool.finish(job).catch(() => {})
  // Unless a handler failed, another worker holds the delivery or the store is unavailable. Such an attempt doesn't count.
  const isCounted = outcome.status === 'failed'
  const pauseMs = outcome.status === 'busy' ? LEASE_MS : pauseAfter(job.attempt, firstPauseMs)
  return spool.retry(job, pauseMs, isCounted).catch(() => {})
}

function pauseAfter(attempt: number, firstPauseMs: number): number {
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), MAX_PAUSE_MS)
  return Math.round(pauseMs * (0.8 + 0.4 * Math.random()))
}
