/**
 * One claimed delivery while its handlers run: their context, the signal that stops them, and the lease that is kept for them.
 */
import type { Deadline } from './clock.js'
import { type HeldClaim, LEASE_MS, STORE_CALL_MS } from './delivery/claim.js'
import { type DispatchResult, dispatch, type RegisteredHandler } from './delivery/dispatch.js'
import type { ReadEvent } from './delivery/event.js'
import { keepLease } from './delivery/lease.js'
import { WebhookError } from './errors.js'
import type { InboxAttempt } from './inboxes/inbox.js'
import type { Settings } from './options.js'
import type { QuarantineMeans } from './quarantine.js'
import type { Reporter } from './report.js'
import type { Running } from './running.js'
import type { Store } from './stores/store.js'
import { type OpenTransaction, withTransaction } from './transaction.js'
import type { Delivery, DeliveryContext } from './types.js'

/** What one receiver works with. */
export interface WorkMeans {
  readonly settings: Settings
  readonly store: Store<unknown>
  readonly reporter: Reporter
  readonly quarantine: QuarantineMeans
  readonly running: Running
  newToken(): string
  /** When this receiver worked its first delivery, in epoch milliseconds. */
  workingSince(): number
  /** Until when something that began to fail at `since` is written again behind the answer, in epoch milliseconds. */
  behindUntil(since: number): number
}

/** Where a delivery comes from, which decides whose tries are counted. */
export type Origin =
  | { readonly from: 'sender' }
  /** Worked again by hand. */
  | { readonly from: 'quarantine' }
  /** Accepted before; the engine tries again by itself. */
  | { readonly from: 'inbox'; readonly attempt: InboxAttempt; readonly receivedAt: number }

/** One verified event to be worked. */
export interface EventWork {
  readonly delivery: Delivery
  readonly rawBody: Uint8Array
  readonly key: string
  readonly read: ReadEvent
  readonly handlers: readonly RegisteredHandler[]
  readonly secretIndex: number
  readonly deadline: Deadline
  /** A user's schema threw: fails the try before any handler runs. */
  readonly schemaFailure?: { readonly error: unknown }
  readonly origin: Origin
}

/** Handlers that run under a claim. */
export interface Run {
  readonly means: WorkMeans
  readonly work: EventWork
  readonly claim: HeldClaim
  /** Resolves once the handlers are done; never rejects. */
  readonly result: Promise<DispatchResult>
  /** Aborts the handlers' signal; no further handler is started. */
  abort(reason: unknown): void
  /** Keeps the lease alive from now on; while handlers run, its loss aborts them. */
  keepLease(): void
  /** Handlers are done, or were given up: from now on a lost lease is told by the write that finds it lost. */
  endHandlers(): void
  /** Lets the lease end. */
  endLease(): void
}

/** Starts the handlers of a claimed delivery. */
export function startRun(means: WorkMeans, work: EventWork, claim: HeldClaim): Run {
  const stop = createStop(means.running)
  let handlersOver = false
  let endLease: (() => void) | undefined
  const run: Run = {
    means,
    work,
    claim,
    result: work.schemaFailure
      ? Promise.resolve({ errors: [work.schemaFailure.error], permanent: false })
      : runHandlers(means, work, claim, stop),
    abort: (reason) => stop.abort(reason),
    keepLease() {
      endLease ??= holdLease(means, claim, () => {
        if (!handlersOver) run.abort(reportLost(means, work))
      })
    },
    endHandlers() {
      handlersOver = true
      stop.end()
    },
    endLease() {
      endLease?.()
    },
  }
  return run
}

function runHandlers(means: WorkMeans, work: EventWork, claim: HeldClaim, stop: Stop): Promise<DispatchResult> {
  const { handlersDone, key, token } = claim
  const context = createContext(work, claim, stop)
  const { transaction } = means.store
  return dispatch({
    event: work.read.event,
    handlers: work.handlers,
    handlersDone,
    contextFor: (checkpoint) =>
      transaction ? withTransaction(context, claim, checkpoint, transaction as OpenTransaction) : context,
    // Not awaited: the handler that comes next need not wait for it, and `complete` or `release` says it again.
    onCheckpoint: () => void renewQuietly(means, { key, token, leaseMs: LEASE_MS, handlersDone: [...handlersDone] }),
    abandonedBecause: () => stop.reason(),
  })
}

async function renewQuietly(means: WorkMeans, request: Parameters<Store['renew']>[0]): Promise<void> {
  try {
    await means.store.renew(request)
  } catch {
    // The checkpoint is written again with the completion or the release.
  }
}

function holdLease(means: WorkMeans, { key, token }: HeldClaim, onLost: () => void): () => void {
  const { store, settings } = means
  return keepLease({ store, clock: settings.clock, key, token, leaseMs: LEASE_MS, callMs: STORE_CALL_MS, onLost })
}

function reportLost({ reporter }: WorkMeans, { key, read }: EventWork): WebhookError {
  const message = 'Another worker has claimed a delivery whose lease was over; the handler’s signal was aborted.'
  reporter.trouble({ code: 'lease_lost', message, idempotencyKey: key, eventType: read.event.event })
  return new WebhookError('lease_lost', message)
}

interface Stop {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** Why the run was stopped; `undefined` while it was not. */
  reason(): unknown
  /** Nobody listens any more. */
  end(): void
}

/** An abort signal that costs nothing until a handler looks at it. */
function createStop(running: Running): Stop {
  let controller: AbortController | undefined
  let aborted: { readonly reason: unknown } | undefined
  let end: (() => void) | undefined
  const stop: Stop = {
    get signal() {
      if (controller) return controller.signal
      controller = new AbortController()
      if (aborted) controller.abort(aborted.reason)
      else end = running.onGivenUp(() => stop.abort(new WebhookError('receiver_closing', CLOSED)))
      return controller.signal
    },
    abort(reason) {
      aborted ??= { reason }
      controller?.abort(reason)
    },
    reason() {
      if (!aborted && running.isGivenUp()) aborted = { reason: new WebhookError('receiver_closing', CLOSED) }
      return aborted?.reason
    },
    end: () => end?.(),
  }
  return stop
}

const CLOSED = 'The receiver was closed before its handlers had finished.'

/** When the sender's request came in. */
export function receivedAt({ origin, deadline }: Pick<EventWork, 'origin' | 'deadline'>): number {
  return origin.from === 'inbox' ? origin.receivedAt : deadline.startedAt
}

function createContext(work: EventWork, claim: HeldClaim, stop: Stop): DeliveryContext {
  return {
    idempotencyKey: work.key,
    attempt: claim.attempt,
    redelivery: claim.attempt > 1,
    receivedAt: receivedAt(work),
    rawBody: work.rawBody,
    issues: work.read.issues,
    get signal() {
      return stop.signal
    },
  }
}
