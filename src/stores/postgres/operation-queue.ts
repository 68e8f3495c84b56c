/**
 * The queue of operations that wait for a connection: picks the next group, keeps the operations of a key in order, and rejects
 * operations that have waited too long.
 */
import { type Clock, monotonicMs } from '../../clock.js'
import { WebhookError } from '../../errors.js'

/** An operation that waits or is in flight. */
export interface Operation<Request, Result> {
  readonly request: Request
  /** In milliseconds of the monotonic clock, like `deadline`. */
  readonly queuedAt: number
  readonly deadline: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
  /** Later operations of the same key that may get the same result. */
  followers: Operation<Request, Result>[]
  /** The last failure of its connection. */
  failure: unknown
  /** The server may execute it, although it did not respond. */
  isPending: boolean
}

/** The queue. Operations that must not be in a group wait in a separate line. */
export interface OperationQueue<Request, Result> {
  add(operation: Operation<Request, Result>): void
  /** Puts operations and their followers back to the front. */
  putBack(operations: readonly Operation<Request, Result>[], isAlone: boolean): void
  /** Takes the next group, or the next operation that runs alone. Its keys are busy until `release`. */
  take(isAlone: boolean): Operation<Request, Result>[]
  /** A statement has ended, so Postgres responds. */
  noteProgress(): void
  /** Makes the keys of taken operations free again. */
  release(operations: readonly Operation<Request, Result>[]): void
  /** How many operations could be taken now. */
  ready(isAlone: boolean): number
  /** Removes and returns all waiting operations. */
  clear(): Operation<Request, Result>[]
  /** Rejects waiting operations whose time limit has passed. A timer does the same, but not before the current task has ended. */
  expire(): void
  /** Rejects taken operations and their followers. */
  reject(operations: readonly Operation<Request, Result>[], error: unknown): void
  size(): number
  /** Milliseconds until the last deadline of all operations so far. */
  left(): number
}

/** The options of {@link createQueue}. */
export interface QueueOptions<Request> {
  readonly clock: Clock
  readonly maxGroup: number
  /** Whether two operations may be in one group. */
  readonly isCompatible: (first: Request, other: Request) => boolean
  /** Whether a group may hold a second operation of a key, as a follower. */
  readonly hasFollowers: boolean
  /** Called if an operation is rejected, but the server may still execute it. */
  readonly onAbandoned: (request: Request) => void
}

/** Creates an empty queue. */
export function createQueue<Request extends { readonly key: string }, Result>(
  options: QueueOptions<Request>,
): OperationQueue<Request, Result> {
  type Queued = Operation<Request, Result>
  const { clock, maxGroup, isCompatible, hasFollowers, onAbandoned } = options
  const lines: { grouped: Queued[]; alone: Queued[] } = { grouped: [], alone: [] }
  const busy = new Set<string>()
  let latest = Number.NEGATIVE_INFINITY
  let progressAt = Number.NEGATIVE_INFINITY
  let timer: { readonly dueAt: number; readonly cancel: () => void } | undefined

  const size = () => lines.grouped.length + lines.alone.length
  const isFree = ({ request }: Queued) => !busy.has(request.key)

  function reject(operations: readonly Queued[], error: unknown): void {
    for (const operation of operations) {
      if (operation.isPending) onAbandoned(operation.request)
      operation.reject(error)
      reject(operation.followers.splice(0), error)
    }
  }

  function expire(): void {
    const now = monotonicMs(clock)
    const isExpired = ({ deadline }: Queued) => deadline <= now
    const count = size()
    const expired = [...lines.grouped, ...lines.alone].filter(isExpired)
    if (expired.length > 0) {
      lines.grouped = lines.grouped.filter((operation) => !isExpired(operation))
      lines.alone = lines.alone.filter((operation) => !isExpired(operation))
    }
    for (const operation of expired) {
      const isMoving = progressAt > operation.queuedAt
      const waitMs = operation.deadline - operation.queuedAt
      reject([operation], operation.failure ?? (isMoving ? overloaded(count) : noProgress(count, waitMs)))
    }
    arm()
  }

  /** One timer for all operations. A timer that is set too early only looks again. */
  function arm(nextDeadline?: number): void {
    const dueAt = nextDeadline ?? earliest()
    if (timer && dueAt >= timer.dueAt && size() > 0) return
    timer?.cancel()
    timer = undefined
    if (size() === 0) return
    const cancel = clock.setTimer(Math.max(1, Math.ceil(dueAt - monotonicMs(clock))), () => {
      timer = undefined
      expire()
    })
    timer = { dueAt, cancel }
  }

  function earliest(): number {
    let first = Number.POSITIVE_INFINITY
    for (const line of [lines.grouped, lines.alone]) {
      for (const { deadline } of line) first = Math.min(first, deadline)
    }
    return first
  }

  function takeGroup(): Queued[] {
    const group = new Map<string, Queued>()
    const skipped = new Set<string>()
    const rest: Queued[] = []
    let first: Queued | undefined
    for (const operation of lines.grouped) {
      const { key } = operation.request
      const leader = group.get(key)
      const fits = isFree(operation) && !skipped.has(key) && (!first || isCompatible(first.request, operation.request))
      if (fits && leader && hasFollowers) leader.followers.push(operation)
      else if (fits && !leader && group.size < maxGroup) group.set(key, operation)
      else {
        rest.push(operation)
        skipped.add(key)
      }
      first ??= group.get(key)
    }
    lines.grouped = rest
    return [...group.values()]
  }

  function takeAlone(): Queued[] {
    const index = lines.alone.findIndex(isFree)
    return index === -1 ? [] : lines.alone.splice(index, 1)
  }

  return {
    add(operation) {
      lines.grouped.push(operation)
      latest = Math.max(latest, operation.deadline)
      arm(operation.deadline)
    },
    putBack(operations, isAlone) {
      const all = operations.flatMap((operation) => [operation, ...operation.followers.splice(0)])
      if (isAlone) lines.alone.push(...all)
      else lines.grouped.unshift(...all)
      arm()
    },
    take(isAlone) {
      expire()
      const taken = isAlone ? takeAlone() : takeGroup()
      for (const { request } of taken) busy.add(request.key)
      arm()
      return taken
    },
    noteProgress() {
      progressAt = monotonicMs(clock)
    },
    release(operations) {
      for (const { request } of operations) busy.delete(request.key)
    },
    ready: (isAlone) => (isAlone ? lines.alone : lines.grouped).filter(isFree).length,
    clear() {
      const all = [...lines.grouped, ...lines.alone]
      lines.grouped = []
      lines.alone = []
      arm()
      return all
    },
    expire,
    reject,
    size,
    left: () => latest - monotonicMs(clock),
  }
}

function overloaded(count: number): WebhookError<'overloaded'> {
  const message =
    `overloaded: ${count} operations waiting for Postgres. Raise the pool's max or release connections sooner, ` +
    'or accept deliveries in an inbox. See docs/stores/postgres.md.'
  return new WebhookError('overloaded', message)
}

function noProgress(count: number, waitMs: number): WebhookError<'store_unavailable'> {
  const message =
    `The pool had no free connection within ${Math.ceil(waitMs)} ms, or Postgres did not respond; ${count} operations waiting. ` +
    'Check the server, raise the pool’s max, or release connections sooner. See docs/stores/postgres.md.'
  return new WebhookError('store_unavailable', message)
}
