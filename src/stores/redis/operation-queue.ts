/**
 * Queues the operations of one store. Up to two groups are on their way to Redis, and the operations that wait form the next group. While
 * the client isn't connected it gets nothing, because it would send abandoned claims later.
 */
import { type Clock, monotonicMs } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { Connection } from './connection.js'
import { watchConnection } from './connection-watch.js'
import { createLanes, type Operation, type Waiting } from './lanes.js'
import { explainPermanent, isCrossSlot, repeatReason } from './redis-errors.js'
import { type OperationResult, runGroup } from './run-group.js'
import { createRunScript } from './run-script.js'

/** A queue of operations. */
export interface OperationQueue {
  /** Runs an operation. Rejects with its error, or after its `waitMs` with `overloaded` or `store_unavailable`; then it is never sent. */
  run<Result>(operation: Operation<Result>): Promise<Result>
  /** Returns the number of waiting operations. */
  waiting(): number
}

/** While Redis runs one group, the process prepares the other. */
const MAX_GROUPS = 2
/** How often the queue looks whether the client is connected, in milliseconds. */
const POLL_MS = 20
/** After this time without a response Redis is slow, and after the second one it is gone, in milliseconds. */
const SLOW_MS = 1000
const GONE_MS = 10_000
/** An operation is rejected a moment before its caller stops waiting, so that the caller learns the reason. */
const REJECTED_EARLY_MS = 50

/** Creates an empty queue. */
export function createOperationQueue(connection: Connection, clock: Clock): OperationQueue {
  const lanes = createLanes()
  const watch = watchConnection(connection)
  const alarm = createAlarm(clock, proceed)
  const runScript = createRunScript(connection)
  const onTheirWay: { readonly sentAt: number }[] = []
  let canShare = !connection.isCluster
  let isScheduled = false

  /** Proceeds at the end of this event-loop turn, so that operations of the same turn share a group. */
  function proceedSoon(): void {
    if (!isScheduled) runSoon(clock, proceed)
    isScheduled = true
  }

  /** Sends what can be sent, rejects what has waited too long, and sets the alarm for the rest. */
  function proceed(): void {
    isScheduled = false
    const now = monotonicMs(clock)
    const state = watch.state(now)
    while (state === 'ready' && onTheirWay.length < MAX_GROUPS && lanes.count() > 0) void send(lanes.takeGroup(), now)
    const expired = state === 'closed' ? lanes.takeAll() : lanes.takeExpired(now)
    if (expired.length > 0) rejectAll(expired, state === 'ready' ? explainWait(now) : watch.explain(state))
    if (lanes.count() > 0) {
      alarm.set(state === 'ready' ? lanes.nextDeadline() : now + POLL_MS, now)
    } else {
      alarm.cancel()
      watch.rest()
    }
  }

  async function send(group: readonly Waiting[], now: number): Promise<void> {
    const flight = { sentAt: now }
    onTheirWay.push(flight)
    const operations = group.map(({ operation }) => operation)
    const results = await runGroup(runScript, operations, canShare)
    onTheirWay.splice(onTheirWay.indexOf(flight), 1)
    lanes.putBack(group.filter((waiting, index) => !settle(waiting, results[index] as OperationResult)))
    proceedSoon()
  }

  /** Returns whether the operation has ended. */
  function settle(waiting: Waiting, result: OperationResult): boolean {
    if ('value' in result) waiting.resolve(result.value)
    else if (!mayRepeat(waiting, result)) waiting.reject(explainPermanent(result.error))
    else return false
    return true
  }

  /** An operation may be repeated, because its token makes it the same operation. */
  function mayRepeat(
    { deadline }: Waiting,
    { error, wasShared }: Exclude<OperationResult, { value: unknown }>,
  ): boolean {
    const now = monotonicMs(clock)
    const reason = repeatReason(error) ?? (connection.state() === 'connecting' ? 'lost' : undefined)
    if (reason) watch.repair(reason, now)
    const isSplit = wasShared && isCrossSlot(error)
    if (isSplit) canShare = false
    return now < deadline && (isSplit || reason !== undefined)
  }

  function explainWait(now: number): WebhookError {
    const silentMs = Math.max(0, ...onTheirWay.map(({ sentAt }) => now - sentAt))
    if (silentMs > GONE_MS) watch.repair('gone', now)
    const count = lanes.count() + 1
    const message = `overloaded: ${count} operations waiting for Redis. Redis or the CPU can't keep up. See docs/stores/redis.md.`
    if (silentMs < SLOW_MS) return new WebhookError('overloaded', message)
    return new WebhookError('store_unavailable', `Redis has not responded for ${Math.round(silentMs)} ms.`)
  }

  return {
    run: <Result>(operation: Operation<Result>) =>
      new Promise<Result>((resolve, reject) => {
        const deadline = monotonicMs(clock) + operation.waitMs - Math.min(REJECTED_EARLY_MS, operation.waitMs / 10)
        lanes.add({ operation, deadline, resolve: resolve as Waiting['resolve'], reject })
        proceedSoon()
      }),
    waiting: lanes.count,
  }
}

function rejectAll(expired: readonly Waiting[], error: WebhookError): void {
  for (const { reject } of expired) reject(error)
}

/** Calls a function at the end of this event-loop turn. There is no timer: a single operation doesn't wait for others. */
function runSoon(clock: Clock, fn: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (fn: () => void) => void }
  if (setImmediate) setImmediate(fn)
  else clock.setTimer(0, fn)
}

/** A timer that rings at the earliest time that was set. */
function createAlarm(clock: Clock, ring: () => void): { set(at: number, now: number): void; cancel(): void } {
  let next: { readonly at: number; readonly cancel: () => void } | undefined
  const cancel = () => {
    next?.cancel()
    next = undefined
  }
  return {
    set(at, now) {
      if (next && next.at <= at) return
      cancel()
      const fire = () => {
        next = undefined
        ring()
      }
      next = { at, cancel: clock.setTimer(Math.max(1, at - now), fire) }
    },
    cancel,
  }
}
