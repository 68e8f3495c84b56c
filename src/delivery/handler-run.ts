/**
 * One claimed delivery while its handlers run: their context, the signal that stops them, and the lease that is kept for them.
 */
import type { Deadline } from '../clock.js'
import { WebhookError } from '../errors.js'
import type { InboxAttempt } from '../inboxes/inbox.js'
import type { Running } from '../receiver/in-flight.js'
import type { Settings } from '../receiver/options.js'
import type { Reporter } from '../receiver/reporter.js'
import type { Store } from '../stores/store.js'
import type { Delivery, DeliveryContext } from '../types.js'
import { type HeldClaim, LEASE_MS, STORE_CALL_MS } from './claim.js'
import { type DispatchResult, dispatch, type RegisteredHandler } from './dispatch.js'
import type { ReadEvent } from './event.js'
import { keepLease } from './lease.js'
import type { QuarantineMeans } from './quarantine.js'
import { type OpenTransaction, withTransaction } from './transaction.js'

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
  backgroundUntil(since: number): number
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
  readonly stop: Stop
  /** At hand where every handler was synchronous; never rejects. */
  readonly result: DispatchResult | Promise<DispatchResult>
  /** Handlers are done, or were given up. */
  handlersOver: boolean
  /** Lets the lease end, where it is kept. */
  letLeaseEnd: (() => void) | undefined
}

/** Starts the handlers of a claimed delivery. */
export function startRun(means: WorkMeans, work: EventWork, claim: HeldClaim): Run {
  const stop = createStop(means.running)
  const result = work.schemaFailure
    ? { errors: [work.schemaFailure.error], permanent: false }
    : runHandlers(means, work, claim, stop)
  return { means, work, claim, stop, result, handlersOver: false, letLeaseEnd: undefined }
}

/** Keeps the lease alive from now on; while handlers run, its loss aborts them. */
export function keepRunLease(run: Run): void {
  const { means, work, claim } = run
  const { key, token } = claim
  run.letLeaseEnd ??= keepLease({
    store: means.store,
    clock: means.settings.clock,
    key,
    token,
    leaseMs: LEASE_MS,
    callMs: STORE_CALL_MS,
    onLost() {
      if (!run.handlersOver) abort(run.stop, reportLost(means, work))
    },
  })
}

/** Aborts the handlers' signal; no further handler is started. */
export function abortRun({ stop }: Run, reason: unknown): void {
  abort(stop, reason)
}

/** Handlers are done, or were given up: from now on a lost lease is told by the write that finds it lost. */
export function endHandlers(run: Run): void {
  run.handlersOver = true
  run.stop.letGo?.()
}

function runHandlers(
  means: WorkMeans,
  work: EventWork,
  claim: HeldClaim,
  stop: Stop,
): DispatchResult | Promise<DispatchResult> {
  const { completedHandlers, key, token } = claim
  const { transaction } = means.store
  return dispatch({
    event: work.read.event,
    handlers: work.handlers,
    completedHandlers,
    contextFor(checkpoint) {
      const context = new RunContext(work, claim, stop)
      return transaction ? withTransaction(context, claim, checkpoint, transaction as OpenTransaction) : context
    },
    // Not awaited: the handler that comes next need not wait for it, and `complete` or `release` says it again.
    onCheckpoint: () =>
      void renewQuietly(means, { key, token, leaseMs: LEASE_MS, completedHandlers: [...completedHandlers] }),
    abandonedBecause: () => reasonToStop(stop),
  })
}

async function renewQuietly(means: WorkMeans, request: Parameters<Store['renew']>[0]): Promise<void> {
  try {
    await means.store.renew(request)
  } catch {
    // The checkpoint is written again with the completion or the release.
  }
}

function reportLost({ reporter }: WorkMeans, { key, read }: EventWork): WebhookError {
  const message = 'Another worker has claimed a delivery whose lease was over; the handler’s signal was aborted.'
  reporter.report({ code: 'lease_lost', message, idempotencyKey: key, eventType: read.event.event })
  return new WebhookError('lease_lost', message)
}

/** What stops the handlers of one run; an abort signal is only made for a handler that looks at it. */
export interface Stop {
  readonly running: Running
  controller: AbortController | undefined
  aborted: { readonly reason: unknown } | undefined
  /** Nobody listens any more. */
  letGo: (() => void) | undefined
}

function createStop(running: Running): Stop {
  return { running, controller: undefined, aborted: undefined, letGo: undefined }
}

function signalOf(stop: Stop): AbortSignal {
  if (stop.controller) return stop.controller.signal
  const controller = new AbortController()
  stop.controller = controller
  if (stop.aborted) controller.abort(stop.aborted.reason)
  else stop.letGo = stop.running.onGivenUp(() => abort(stop, new WebhookError('receiver_closing', CLOSED)))
  return controller.signal
}

function abort(stop: Stop, reason: unknown): void {
  stop.aborted ??= { reason }
  stop.controller?.abort(reason)
}

/** Why the run was stopped; `undefined` while it was not. */
function reasonToStop(stop: Stop): unknown {
  if (!stop.aborted && stop.running.isGivenUp()) stop.aborted = { reason: new WebhookError('receiver_closing', CLOSED) }
  return stop.aborted?.reason
}

const CLOSED = 'The receiver was closed before its handlers had finished.'

/** When the sender's request came in. */
export function receivedAt({ origin, deadline }: Pick<EventWork, 'origin' | 'deadline'>): number {
  return origin.from === 'inbox' ? origin.receivedAt : deadline.startedAt
}

/** Where a context keeps what its signal is made of: still found where a user builds a context of one's own upon it. */
const STOP = Symbol('stop')

/** A class for its one getter: an object literal with a getter of its own takes longer than a whole stage. */
class RunContext implements DeliveryContext {
  readonly idempotencyKey: string
  readonly attempt: number
  readonly redelivery: boolean
  readonly receivedAt: number
  readonly rawBody: Uint8Array
  readonly issues: DeliveryContext['issues']
  readonly [STOP]: Stop

  constructor(work: EventWork, { attempt }: HeldClaim, stop: Stop) {
    this.idempotencyKey = work.key
    this.attempt = attempt
    this.redelivery = attempt > 1
    this.receivedAt = receivedAt(work)
    this.rawBody = work.rawBody
    this.issues = work.read.issues
    this[STOP] = stop
  }

  get signal(): AbortSignal {
    return signalOf(this[STOP])
  }
}
