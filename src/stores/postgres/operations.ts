/**
 * Groups operations under load. An operation on an idle store is sent alone, without waiting. Operations that wait for a
 * connection share the next statement, in order of arrival. Each gets its own result and its own error.
 */
import { type Clock, monotonicMs, runSoon } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { PendingWork, PostgresConnections, WorkResult } from './connections.js'
import { createQueue, type Operation, type OperationQueue } from './operation-queue.js'
import type { PostgresRows, PostgresStatement } from './rows.js'
import { codeOf, LOCK_NOT_AVAILABLE } from './server-errors.js'

/** How operations of one kind are written and read. */
export interface OperationKind<Request extends { readonly key: string }, Result> {
  /** The statement of one operation. It waits at most `lockMs` for a locked row. */
  one(request: Request, lockMs: number): PostgresStatement
  /** Reads its result. */
  readOne(rows: PostgresRows): Result
  /** The statement of several operations with different keys. */
  many(requests: readonly Request[]): PostgresStatement
  /** Reads their results by key. An operation without a result is run alone. */
  readMany(rows: PostgresRows): ReadonlyMap<string, Result>
  /** Whether two operations may be in one statement. Default: always. */
  isCompatible?(first: Request, other: Request): boolean
  /** Whether an operation that came right after another one of its key would get the same result and change nothing. */
  isDecidedBy?(result: Result, request: Request): boolean
  /** Called if an operation was rejected, but the server may still execute it. */
  onAbandoned?(request: Request): void
}

/** The operations of one kind. */
export interface Operations<Request, Result> {
  /** Runs an operation. It is sent within `waitMs`, or rejected and never sent. */
  run(request: Request, waitMs: number): Promise<Result>
  /** How many operations wait for a connection. */
  waiting(): number
}

/** The options of {@link createOperations}. */
export interface OperationOptions {
  readonly connections: PostgresConnections
  readonly clock: Clock
  /** How many statements may be in flight at once. */
  readonly maxStatements: number
}

/** Larger groups gain nothing, and all results of a group continue in one turn of the event loop. */
const MAX_GROUP = 64
/** While one group is in flight, the next one can be sent. More groups at once would only be smaller. */
const MAX_GROUPS = 2
/** An operation is rejected this long before its caller stops waiting, so that the caller learns the reason. */
const REJECTED_EARLY_MS = 50
/** A locked row must not delay the other operations for longer. Its own operation continues alone. */
const SHORT_LOCK_MS = 250

/** Creates the operations of one kind. */
export function createOperations<Request extends { readonly key: string }, Result>(
  kind: OperationKind<Request, Result>,
  { connections, clock, maxStatements }: OperationOptions,
): Operations<Request, Result> {
  const queue = createQueue<Request, Result>({
    clock,
    maxGroup: MAX_GROUP,
    isCompatible: kind.isCompatible ?? (() => true),
    hasFollowers: kind.isDecidedBy !== undefined,
    onAbandoned: kind.onAbandoned ?? (() => {}),
  })
  const maxGroups = Math.min(MAX_GROUPS, maxStatements)
  const maxAlone = Math.max(1, maxStatements - maxGroups)
  const inFlight = { groups: 0, alone: 0 }
  /** Groups that wait for a connection, and still grow. */
  let opening = 0
  let isScheduled = false
  /** The last statement had several operations, so an operation of this turn isn't alone. */
  let isLoaded = false

  /** Under load, starts at the end of this event-loop turn, so that the operations of a turn share a statement. */
  function proceed(): void {
    if (!isLoaded) start()
    else if (!isScheduled) {
      isScheduled = true
      runSoon(clock, () => {
        isScheduled = false
        start()
      })
    }
  }

  function start(): void {
    while (inFlight.groups + inFlight.alone < maxStatements) {
      const canGroup = inFlight.groups < maxGroups && queue.ready(false) > opening * MAX_GROUP
      const canRunAlone = inFlight.alone < maxAlone && queue.ready(true) > 0
      if (!canGroup && !canRunAlone) return
      void runNext(!canGroup)
    }
  }

  async function runNext(isAlone: boolean): Promise<void> {
    const slot = isAlone ? 'alone' : 'groups'
    inFlight[slot]++
    const endOpening = isAlone ? () => {} : startOpening()
    let taken: Operation<Request, Result>[] = []
    const work: PendingWork = {
      left: queue.left,
      next() {
        queue.release(taken)
        queue.putBack(taken.splice(0), isAlone)
        taken = queue.take(isAlone)
        isLoaded = taken.length > 1
        endOpening()
        return statementOf(taken, isAlone)
      },
      onFailure(error, wasSent) {
        for (const operation of taken) {
          operation.failure = error
          operation.isPending ||= wasSent
        }
      },
    }
    const ended = await connections.attempt(work)
    endOpening()
    inFlight[slot]--
    if (taken.length > 0 && (ended.status === 'done' || ended.status === 'refused')) queue.noteProgress()
    queue.release(taken)
    finish({ kind, queue }, taken, ended, isAlone)
    proceed()
  }

  function startOpening(): () => void {
    let isOpening = true
    opening++
    return () => {
      if (isOpening) opening--
      isOpening = false
    }
  }

  function statementOf(
    operations: readonly Operation<Request, Result>[],
    isAlone: boolean,
  ): PostgresStatement | undefined {
    const [first, second] = operations
    if (!first) return undefined
    if (second) return kind.many(operations.map(({ request }) => request))
    const left = Math.max(1, Math.floor(first.deadline - monotonicMs(clock)))
    return kind.one(first.request, isAlone ? left : Math.min(left, SHORT_LOCK_MS))
  }

  return {
    run: (request, waitMs) =>
      new Promise((resolve, reject) => {
        const queuedAt = monotonicMs(clock)
        const times = { queuedAt, deadline: queuedAt + waitMs - Math.min(REJECTED_EARLY_MS, waitMs / 10) }
        queue.add({ request, ...times, resolve, reject, followers: [], failure: undefined, isPending: false })
        proceed()
      }),
    waiting: queue.size,
  }
}

interface Running<Request extends { readonly key: string }, Result> {
  readonly kind: OperationKind<Request, Result>
  readonly queue: OperationQueue<Request, Result>
}

/** Settles operations, or puts them back if they have to be repeated. */
function finish<Request extends { readonly key: string }, Result>(
  running: Running<Request, Result>,
  operations: readonly Operation<Request, Result>[],
  ended: WorkResult,
  isAlone: boolean,
): void {
  const { queue } = running
  if (ended.status === 'done') {
    if (ended.result) deliver(running, operations, ended.result)
  } else if (ended.status === 'unreachable') {
    queue.reject([...operations, ...queue.clear()], ended.error)
  } else if (ended.status === 'exhausted') {
    queue.putBack(operations, isAlone)
    queue.expire()
  } else if (isWorthRunningAlone(operations, ended.error, isAlone)) {
    queue.putBack(operations, true)
  } else {
    queue.reject(operations, ended.error)
  }
}

/** In a group, one bad operation or a locked row fails the whole statement. Alone, each operation gets its own result. */
function isWorthRunningAlone(operations: readonly unknown[], error: unknown, isAlone: boolean): boolean {
  if (error instanceof WebhookError) return false
  return operations.length > 1 || (!isAlone && codeOf(error) === LOCK_NOT_AVAILABLE)
}

function deliver<Request extends { readonly key: string }, Result>(
  { kind, queue }: Running<Request, Result>,
  operations: readonly Operation<Request, Result>[],
  rows: PostgresRows,
): void {
  try {
    const [only, other] = operations
    const results = only && !other ? new Map([[only.request.key, kind.readOne(rows)]]) : kind.readMany(rows)
    for (const operation of operations) {
      const result = results.get(operation.request.key)
      if (result === undefined) queue.putBack([operation], true)
      else settle(operation, result)
    }
  } catch (error) {
    queue.reject(operations, error)
  }

  function settle(operation: Operation<Request, Result>, result: Result): void {
    operation.resolve(result)
    const undecided: Operation<Request, Result>[] = []
    for (const follower of operation.followers.splice(0)) {
      if (kind.isDecidedBy?.(result, follower.request)) follower.resolve(result)
      else undecided.push(follower)
    }
    queue.putBack(undecided, false)
  }
}
