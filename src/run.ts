/**
 * One claimed delivery while its handlers run: their context, the signal that stops them, and the lease that is kept for them.
 */
import type { Deadline } from './clock.js'
import { type HeldClaim, LEASE_MS, STORE_CALL_MS } from './delivery/claim.js'
import { type DispatchResult, dispatch, type RegisteredHandler } from './delivery/dispatch.js'
import type { ReadEvent } from './delivery/event.js'
import { keepLease } from './delivery/lease.js'
import { WebhookError } from './errors.js'
import type { Settings } from './options.js'
import type { QuarantineMeans } from './quarantine.js'
import type { Reporter } from './report.js'
import type { Running } from './running.js'
import type { Store } from './stores/store.js'
import type { Delivery, DeliveryContext } from './types.js'

/** What one receiver works with. */
export interface WorkMeans {
  readonly settings: Settings
  readonly store: Store<unknown>
  readonly reporter: Reporter
  readonly quarantine: QuarantineMeans
  readonly running: Running
  newToken(): string
  /** Until when something that began to fail at `since` is written again behind the answer, in epoch milliseconds. */
  behindUntil(since: number): number
}

/** One verified event to be worked. */
export interface EventWork {
  readonly delivery: Delivery
  readonly rawBody: Uint8Array
  readonly key: string
  readonly read: ReadEvent
  readonly handlers: readonly RegisteredHandler[]
  readonly secretIndex: number
  readonly deadline: Deadline
  /** What a user's schema threw: fails the try before any handler runs. */
  readonly schemaError?: unknown
  /** Worked again out of the quarantine. */
  readonly rework: boolean
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
  /** Keeps the lease alive from now on. */
  keepLease(): void
  /** Lets the lease end. */
  endLease(): void
}

/** Starts the handlers of a claimed delivery. */
export function startRun(means: WorkMeans, work: EventWork, claim: HeldClaim): Run {
  const stop = createStop()
  let endLease: (() => void) | undefined
  const run: Run = {
    means,
    work,
    claim,
    result:
      work.schemaError === undefined
        ? runHandlers(means, work, claim, stop)
        : Promise.resolve(failed(work.schemaError)),
    abort: (reason) => stop.abort(reason),
    keepLease() {
      endLease ??= holdLease(means, work, claim, (error) => run.abort(error))
    },
    endLease() {
      endLease?.()
    },
  }
  return run
}

function failed(error: unknown): DispatchResult {
  return { errors: [error], permanent: false }
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
    isAbandoned: () => stop.isAborted(),
  })
}

async function renewQuietly(means: WorkMeans, request: Parameters<Store['renew']>[0]): Promise<void> {
  try {
    await means.store.renew(request)
  } catch {
    // The checkpoint is written again with the completion or the release.
  }
}

function holdLease(means: WorkMeans, work: EventWork, claim: HeldClaim, abort: (error: unknown) => void): () => void {
  const { store, settings, reporter } = means
  const { key, token } = claim
  return keepLease({
    store,
    clock: settings.clock,
    key,
    token,
    leaseMs: LEASE_MS,
    callMs: STORE_CALL_MS,
    onLost() {
      const message = 'Another worker has claimed a delivery whose lease was over; the handler’s signal was aborted.'
      const error = new WebhookError('lease_lost', message)
      reporter.trouble({ code: 'lease_lost', message, idempotencyKey: key, eventType: work.read.event.event })
      abort(error)
    },
  })
}

interface Stop {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  isAborted(): boolean
}

/** An abort signal that costs nothing until a handler looks at it. */
function createStop(): Stop {
  let controller: AbortController | undefined
  let aborted: { readonly reason: unknown } | undefined
  return {
    get signal() {
      if (!controller) {
        controller = new AbortController()
        if (aborted) controller.abort(aborted.reason)
      }
      return controller.signal
    },
    abort(reason) {
      aborted ??= { reason }
      controller?.abort(reason)
    },
    isAborted: () => aborted !== undefined,
  }
}

function createContext(work: EventWork, claim: HeldClaim, stop: Stop): DeliveryContext {
  return {
    idempotencyKey: work.key,
    attempt: claim.attempt,
    redelivery: claim.attempt > 1,
    receivedAt: work.deadline.startedAt,
    rawBody: work.rawBody,
    issues: work.read.issues,
    get signal() {
      return stop.signal
    },
  }
}

type Transact = (...input: never[]) => Promise<unknown>
type OpenTransaction = (request: { key: string; token: string; checkpoint: string }) => Transact

function withTransaction(
  context: DeliveryContext,
  { key, token, handlersDone }: HeldClaim,
  checkpoint: string | undefined,
  open: OpenTransaction,
): DeliveryContext & { readonly transaction: Transact } {
  const transaction: Transact = async (...input) => {
    if (checkpoint === undefined) {
      throw new WebhookError(
        'transaction_needs_name',
        'context.transaction marks its handler as done, so among several handlers of one event it needs a name: on(type, handler, { name }).',
      )
    }
    const value = await open({ key, token, checkpoint })(...input)
    handlersDone.add(checkpoint)
    return value
  }
  return Object.create(context, { transaction: { value: transaction, enumerable: true } })
}
