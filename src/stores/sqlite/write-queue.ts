/**
 * Queues the writes of one connection. The writes that arrive together form a group, which waits for the disk once. A lone write runs
 * immediately. While another connection or the application uses the database, writes wait without blocking the process, but
 * no longer than their callers do.
 */
import { type Clock, monotonicMs, runSoon } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import { createLanes } from '../lanes.js'
import { type DatabaseUser, explainWait } from './database-errors.js'
import type { GroupResult, Write, WriteResult } from './group.js'

/** A write, and how it waits. */
export interface QueuedWrite<Result = unknown> extends Write<Result> {
  /** How long the caller waits, in milliseconds. After that the write is rejected and changes nothing. */
  readonly waitMs: number
  /** Goes before other writes, because it ends a claim or keeps a claim alive. */
  readonly isUrgent: boolean
}

/** A write that waits. */
interface WaitingWrite {
  readonly write: Write
  readonly isUrgent: boolean
  readonly deadline: number
  isAlone: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A queue of writes. */
export interface WriteQueue {
  /**
   * Runs a write immediately or queues it. Throws or rejects with the error of the write, or after `waitMs` with `overloaded` or, if the
   * database was in use, `store_unavailable`.
   */
  add<Result>(write: QueuedWrite<Result>): MaybePromise<Result>
  /** Returns the number of waiting writes. */
  waiting(): number
}

/** The maximum number of writes in a group. */
const MAX_GROUP = 256
/** The claim and the completion of a lone delivery. More writes in one turn mean load. */
const MAX_IMMEDIATE = 2
/** How long turns that bring more writes delay a group. Node accepts one connection per turn, so a burst arrives over many turns. */
const MAX_GATHERING_MS = 8
/** A group commits after this time, so that it never blocks the process for long. The remaining writes form the next group. */
const MAX_GROUP_MS = 8
/** A write is rejected a moment before its caller stops waiting, so that the caller learns the reason. */
const REJECTED_EARLY_MS = 50
const FIRST_PAUSE_MS = 1
const MAX_PAUSE_MS = 20

/** Creates an empty queue. */
export function createWriteQueue(
  runGroup: (writes: readonly Write[], isOverTime: () => boolean) => GroupResult,
  user: DatabaseUser,
  clock: Clock,
): WriteQueue {
  const lanes = createLanes<WaitingWrite>()
  let isScheduled = false
  /** Several writes waited for the last turn to end, so a write of this turn isn't alone. */
  let isLoaded = false
  let immediateWrites = 0
  /** When the oldest waiting write could have run, and how many writes waited after the last turn. */
  let gatheringSince = 0
  let countBefore = 0
  let pauseMs = FIRST_PAUSE_MS
  /** What uses the database, if that is why the writes wait. */
  let blocked: { readonly error: unknown } | undefined
  const schedule = () => {
    if (!isScheduled) runSoon(clock, endTurn)
    isScheduled = true
  }
  const endTurn = () => {
    const startedAt = monotonicMs(clock)
    const count = lanes.count()
    for (const expired of lanes.takeExpired(startedAt)) {
      expired.reject(blocked ? explainWait(user, blocked.error) : overloaded(count))
    }
    isScheduled = false
    immediateWrites = 0
    if (countBefore === 0) gatheringSince = startedAt
    const isGrowing = lanes.count() > countBefore
    countBefore = lanes.count()
    if (isGrowing && countBefore < MAX_GROUP && startedAt - gatheringSince < MAX_GATHERING_MS) return schedule()
    const group = lanes.takeGroup(MAX_GROUP)
    isLoaded = group.length > 1
    if (group.length > 0) flush(group, startedAt)
    countBefore = lanes.count()
  }
  const flush = (group: readonly WaitingWrite[], startedAt: number) => {
    const isOverTime = () => monotonicMs(clock) - startedAt >= MAX_GROUP_MS
    const ended = runGroup(
      group.map(({ write }) => write),
      isOverTime,
    )
    if (ended.status === 'waits') {
      blocked = ended
      lanes.putBack(group)
      pause(startedAt)
      return
    }
    blocked = undefined
    pauseMs = FIRST_PAUSE_MS
    lanes.putBack(group.filter((waiting, index) => !settle(waiting, ended.results[index])))
    if (lanes.count() > 0) schedule()
  }
  const pause = (now: number) => {
    isScheduled = true
    // Random pauses keep waiting processes from retrying at the same time.
    const randomMs = pauseMs * (0.5 + Math.random())
    clock.setTimer(Math.min(randomMs, lanes.nextDeadline() - now), endTurn)
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)
  }
  const enqueue = <Result>(write: QueuedWrite<Result>): Promise<Result> =>
    new Promise<Result>((resolve, reject) => {
      const deadline = monotonicMs(clock) + write.waitMs - Math.min(REJECTED_EARLY_MS, write.waitMs / 10)
      const { isUrgent, isAlone = false } = write
      lanes.add({ write, isUrgent, isAlone, deadline, resolve: resolve as WaitingWrite['resolve'], reject })
      schedule()
    })
  return {
    add(write) {
      if (isLoaded || blocked || lanes.count() > 0 || immediateWrites === MAX_IMMEDIATE) return enqueue(write)
      immediateWrites++
      schedule()
      const ended = runGroup([write], () => false)
      if (ended.status === 'ended') return resultOf(ended.results[0])
      blocked = ended
      return enqueue(write)
    },
    waiting: lanes.count,
  }
}

/** @throws the error of the write. */
function resultOf<Result>(result: WriteResult | undefined): Result {
  const { value, error } = result as { readonly value?: unknown; readonly error?: unknown }
  if (typeof result === 'object' && 'error' in result) throw error
  return value as Result
}

/** Returns whether a write has ended. */
function settle(waiting: WaitingWrite, result: WriteResult | undefined): boolean {
  if (result === undefined || result === 'again') return false
  if (result === 'alone') {
    waiting.isAlone = true
    return false
  }
  if ('error' in result) waiting.reject(result.error)
  else waiting.resolve(result.value)
  return true
}

function overloaded(count: number): WebhookError {
  const message = `overloaded: ${count} operations waiting for SQLite. The disk or the CPU can't keep up. See docs/stores/sqlite.md.`
  return new WebhookError('overloaded', message)
}
