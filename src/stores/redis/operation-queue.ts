/**
 * Queues the operations of one store. Up to two calls are on their way to Redis, and the operations that wait share the next call. While
 * the client isn't connected it gets nothing, because it would send abandoned claims later.
 */
import { type Clock, monotonicMs, runSoon } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { createLanes } from '../lanes.js'
import type { Connection } from './connection.js'
import { watchConnection } from './connection-watch.js'
import { explainPermanent, isCrossSlot, repeatReason } from './redis-errors.js'
import { type FailedOperation, type Operation, type OperationResult, runCall } from './run-call.js'
import { createRunScript } from './run-script.js'

/** An operation, and how it waits. */
export interface QueuedOperation<Result = unknown> extends Operation<Result> {
  /** The script runs one operation per call. Otherwise it takes several, and then it replies with a list of texts. */
  readonly isAlone: boolean
  /** How long the caller waits, in milliseconds. */
  readonly waitMs: number
  /** Goes before other operations, because it ends a claim or keeps a claim alive. */
  readonly isUrgent: boolean
}

/** An operation that waits. */
interface WaitingOperation {
  readonly operation: Operation
  readonly isUrgent: boolean
  readonly isAlone: boolean
  readonly deadline: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A queue of operations. */
export interface OperationQueue {
  /** Runs an operation. Rejects with its error, or after its `waitMs` with `overloaded` or `store_unavailable`; then it is never sent. */
  run<Result>(operation: QueuedOperation<Result>): Promise<Result>
  /** Returns the number of waiting operations. */
  waiting(): number
}

/** A script call with this number of operations blocks Redis for about a millisecond. */
const MAX_CALL = 256
/** While Redis runs one call, the process prepares the other. */
const MAX_CALLS = 2
/** How often the queue looks whether the client is connected, in milliseconds. */
const POLL_MS = 20
/** After this time without a response Redis counts as slow, and after the second one as unreachable, in milliseconds. */
const SLOW_MS = 1000
const GONE_MS = 10_000
/** An operation is rejected a moment before its caller stops waiting, so that the caller learns the reason. */
const REJECTED_EARLY_MS = 50

/** A call without a response. */
interface SentCall {
  readonly sentAt: number
  /** When its last caller has stopped waiting. Then the call doesn't keep others from being sent. */
  readonly deadline: number
  isGone: boolean
}

/** Creates an empty queue. */
export function createOperationQueue(connection: Connection, clock: Clock): OperationQueue {
  const lanes = createLanes<WaitingOperation>()
  const watch = watchConnection(connection)
  const alarm = createAlarm(clock, proceedSoon)
  const runScript = createRunScript(connection)
  const sent = new Set<SentCall>()
  let canShare = !connection.isCluster
  let isScheduled = false
  /** The last call had several operations, so an operation of this turn isn't alone. */
  let isLoaded = false

  /** Proceeds at the end of this event-loop turn, so that the operations of a turn share a call. Responses have been read by then. */
  function proceedSoon(): void {
    if (!isScheduled) runSoon(clock, () => proceed())
    isScheduled = true
  }

  /** Sends what can be sent, rejects what has waited too long, and sets the alarm for the rest. */
  function proceed(now = monotonicMs(clock)): void {
    isScheduled = false
    repairIfGone(now)
    const state = watch.state(now)
    // The nodes of a cluster respond independently, so a slow node must not delay the others.
    let free = connection.isCluster ? Number.POSITIVE_INFINITY : MAX_CALLS - busyCalls(now).length
    for (; state === 'ready' && free > 0 && lanes.count() > 0; free--)
      void send(lanes.takeGroup(canShare ? MAX_CALL : 1), now)
    const expired = state === 'closed' ? lanes.takeAll() : lanes.takeExpired(now)
    const error = expired.length > 0 && (state === 'ready' ? explainWait(now) : watch.explain(state))
    for (const { reject } of expired) reject(error)
    if (lanes.count() > 0) {
      const deadlines = busyCalls(now).map(({ deadline }) => deadline)
      alarm.set(state === 'ready' ? Math.min(lanes.nextDeadline(), ...deadlines) : now + POLL_MS, now)
    } else {
      rest()
    }
  }

  function rest(): void {
    alarm.cancel()
    watch.rest()
  }

  /** Calls whose callers still wait. */
  function busyCalls(now: number): readonly SentCall[] {
    return sent.size === 0 ? [] : [...sent].filter(({ deadline }) => deadline > now)
  }

  async function send(call: readonly WaitingOperation[], now: number): Promise<void> {
    const entry = { sentAt: now, deadline: Math.max(...call.map(({ deadline }) => deadline)), isGone: false }
    sent.add(entry)
    isLoaded = call.length > 1
    const results = await runCall(
      runScript,
      call.map(({ operation }) => operation),
    )
    sent.delete(entry)
    const repeated = call.filter((waiting, index) => !settle(waiting, results[index] as OperationResult))
    if (repeated.length > 0) lanes.putBack(repeated)
    // After a single operation, the next one leaves at once.
    if (call.length > 1 || lanes.count() > 0) proceedSoon()
    else rest()
  }

  /** Returns whether the operation has ended. */
  function settle(waiting: WaitingOperation, result: OperationResult): boolean {
    if ('value' in result) waiting.resolve(result.value)
    else if (!mayRepeat(waiting, result)) waiting.reject(explainPermanent(result.error))
    else return false
    return true
  }

  /** An operation may be repeated, because its token makes it the same operation. */
  function mayRepeat({ deadline }: WaitingOperation, { error, wasShared }: FailedOperation): boolean {
    const now = monotonicMs(clock)
    const reason = repeatReason(error) ?? (connection.state() === 'connecting' ? 'lost' : undefined)
    if (reason) watch.repair(reason, now)
    const isSplit = wasShared && isCrossSlot(error)
    if (isSplit) canShare = false
    return now < deadline && (isSplit || reason !== undefined)
  }

  /** A server that vanished without closing the connection would otherwise be noticed after a quarter of an hour. */
  function repairIfGone(now: number): void {
    const [oldest] = sent
    if (!oldest || oldest.isGone || now - oldest.sentAt < GONE_MS || connection.state() !== 'ready') return
    oldest.isGone = true
    watch.repair('gone', now)
  }

  function explainWait(now: number): WebhookError {
    const silentMs = Math.max(0, ...[...sent].map(({ sentAt }) => now - sentAt))
    if (silentMs >= SLOW_MS) {
      return new WebhookError('store_unavailable', `Redis has not responded for ${Math.round(silentMs)} ms.`)
    }
    const message = `overloaded: ${lanes.count() + 1} operations waiting for Redis. Redis or the CPU can't keep up. See docs/stores/redis.md.`
    return new WebhookError('overloaded', message)
  }

  return {
    run: <Result>(operation: QueuedOperation<Result>) =>
      new Promise<Result>((resolve, reject) => {
        const now = monotonicMs(clock)
        const deadline = now + operation.waitMs - Math.min(REJECTED_EARLY_MS, operation.waitMs / 10)
        const { isUrgent, isAlone } = operation
        lanes.add({ operation, isUrgent, isAlone, deadline, resolve: resolve as WaitingOperation['resolve'], reject })
        if (sent.size === 0 && !isScheduled && !isLoaded) proceed(now)
        else proceedSoon()
      }),
    waiting: lanes.count,
  }
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
