/**
 * Part of stage 6: one run of an event's handlers under a claim. Holds their context, the signal that aborts them, and the lease that is
 * kept while they run.
 */

import { WebhookError } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { Store } from '../stores/store.js'
import type { DeliveryContext } from '../types.js'
import { type DispatchResult, dispatch } from './dispatch.js'
import { keepLease, LEASE_MS } from './lease.js'
import { type OpenTransaction, withTransaction } from './transaction.js'
import {
  aboutReport,
  type ClaimedAttempt,
  type HeldClaim,
  MAX_CALL_MS,
  receivedAt,
  type Services,
  type VerifiedEvent,
} from './verified-event.js'

/** A claimed attempt whose handlers have been started. */
export interface HandlerRun extends ClaimedAttempt {
  readonly controller: AbortController
  /** Available at once if every handler was synchronous. Never rejects. */
  readonly result: DispatchResult | Promise<DispatchResult>
  /** The handlers have finished or were abandoned. */
  areHandlersDone: boolean
}

/** Starts the handlers of a claimed delivery. */
export function startRun(services: Services, event: VerifiedEvent, claim: HeldClaim): HandlerRun {
  const controller = new AbortController()
  // A claim may arrive after the receiver has stopped waiting for handlers.
  if (services.inFlight.isAbandoned()) controller.abort(closed())
  const result = event.schemaFailure
    ? { errors: [event.schemaFailure.error], isPermanent: false }
    : runHandlers(services, event, claim, controller.signal)
  return {
    services,
    event,
    number: claim.attempt,
    claim,
    controller,
    result,
    areHandlersDone: !isPromiseLike(result),
    endLease: undefined,
    entryWrite: undefined,
  }
}

/** Keeps the lease from now on. If it is lost while handlers run, their signal is aborted. */
export function keepRunLease(run: HandlerRun): void {
  keepLease(run, () => {
    // Once the handlers are done, the write that finds the claim lost reports it.
    if (run.areHandlersDone) return
    const { services, event, controller } = run
    const message = 'Another process claimed a delivery after its lease had expired. The handler’s signal was aborted.'
    services.reporter.report({ ...aboutReport(event), code: 'lease_lost', message }, event.delivery)
    controller.abort(new WebhookError('lease_lost', message))
  })
}

/** How waiting for handlers ended: with their result, at the time limit, or because the receiver stopped waiting while closing. */
export type Waited = DispatchResult | 'late' | 'abandoned'

/**
 * Waits for the handlers, at most `ms` milliseconds. Unsubscribes in every case, so a handler that never settles doesn't keep its delivery
 * in memory.
 */
export function waitForHandlers(run: HandlerRun, ms: number): Promise<Waited> {
  const { settings, inFlight } = run.services
  if (ms <= 0) return Promise.resolve('late')
  return new Promise((resolve) => {
    const cancelTimer = settings.clock.setTimer(ms, () => end('late'))
    let unsubscribe = () => {}
    const end = (waited: Waited) => {
      cancelTimer()
      unsubscribe()
      resolve(waited)
    }
    unsubscribe = inFlight.onAbandoned(() => {
      run.controller.abort(closed())
      end('abandoned')
    })
    void Promise.resolve(run.result).then(end)
  })
}

/** Aborts handlers that took longer than `handlerTimeoutMs`. No further handler is started. */
export function timeOutHandlers({ controller }: HandlerRun): DispatchResult {
  const error = new WebhookError('handler_timeout', 'The handlers did not finish within handlerTimeoutMs.')
  controller.abort(error)
  return { errors: [error], isPermanent: false }
}

function closed(): WebhookError {
  return new WebhookError('receiver_closing', 'The receiver was closed before its handlers had finished.')
}

function runHandlers(
  services: Services,
  event: VerifiedEvent,
  claim: HeldClaim,
  signal: AbortSignal,
): DispatchResult | Promise<DispatchResult> {
  const { completedHandlers, key, token } = claim
  const { transaction } = services.store
  return dispatch({
    event: event.event,
    handlers: event.handlers,
    completedHandlers,
    signal,
    contextFor(checkpoint) {
      const context = contextOf(services, event, claim, signal)
      return transaction ? withTransaction(context, claim, checkpoint, transaction as OpenTransaction) : context
    },
    // Not awaited: the next handler doesn't need the checkpoint, and the completion or release writes it again.
    onCheckpoint: () =>
      void renewQuietly(services, {
        key,
        token,
        leaseMs: LEASE_MS,
        waitMs: MAX_CALL_MS,
        completedHandlers: [...completedHandlers],
      }),
  })
}

async function renewQuietly({ store }: Services, request: Parameters<Store['renew']>[0]): Promise<void> {
  try {
    await store.renew(request)
  } catch {
    // The completion or the release writes the checkpoint again.
  }
}

function contextOf(
  { settings }: Services,
  event: VerifiedEvent,
  { attempt }: HeldClaim,
  signal: AbortSignal,
): DeliveryContext {
  return {
    idempotencyKey: event.key,
    attempt,
    redelivery: attempt > 1,
    receivedAt: receivedAt(event),
    // The quarantine may still need the original bytes, and a handler may change what it gets.
    rawBody: settings.quarantine ? new Uint8Array(event.rawBody) : event.rawBody,
    issues: event.issues,
    signal,
  }
}
