/** Runs the receiver's processor for BullMQ's jobs: which attempt a job is at, how it ends, and how long it pauses before the next one. */
import type * as BullMq from 'bullmq'
import { fromJob, type InboxAttempt, type InboxProcessor, isFinished, type Job } from '../inbox.js'

/** The pause before a retry that BullMQ must not count, in milliseconds. */
const NOT_COUNTED_PAUSE_MS = 60_000
const MAX_PAUSE_MS = 60 * 60 * 1000

/** Creates the function that BullMQ calls for each job. */
export function createJobProcessor(
  DelayedError: typeof BullMq.DelayedError,
  process: InboxProcessor,
  attempts: number,
): (job: BullMq.Job<Job>, token?: string) => Promise<void> {
  return async function processJob(job, token) {
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

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** Returns the pause after `made` attempts in milliseconds. It doubles up to an hour, minus up to half at random. */
export function pauseAfter(made: number, firstPauseMs: number): number {
  const maxMs = Math.min(firstPauseMs * 2 ** (made - 1), MAX_PAUSE_MS)
  return Math.round(maxMs * (1 - Math.random() / 2))
}
