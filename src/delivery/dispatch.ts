/**
 * Stage 6 of 8, dispatch: runs the event's handlers one after the other, in order of registration. In: the event, its handlers, the names
 * of those that an earlier try finished. Out: the failures. A failing handler does not stop the others.
 */

import { isPermanentError } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'

/** A handler as it was registered. */
export interface RegisteredHandler {
  readonly name: string | undefined
  readonly run: (event: never, context: never) => unknown
}

/** One run over an event's handlers. */
export interface DispatchRun<Context> {
  readonly event: unknown
  readonly handlers: readonly RegisteredHandler[]
  /** Names of finished handlers; grows as the run goes on. */
  readonly completedHandlers: string[]
  /** The context for one handler. */
  contextFor(checkpoint: string | undefined): Context
  /** Called when a named handler has finished and others are still to run. */
  onCheckpoint(): void
  /** Why the run was given up, once it was: no further handler is started, and the run has failed. */
  abandonedBecause(): unknown
}

/** What became of a run. */
export interface DispatchResult {
  readonly errors: readonly unknown[]
  /** Whether every error says that no other try can help. */
  readonly permanent: boolean
}

/** The checkpoint of an event's only handler when it has no name. */
const ONLY_HANDLER = '(only)'

/** Runs every handler that is not done; the result is at hand where all of them are synchronous. Never throws, never rejects. */
export function dispatch<Context>(run: DispatchRun<Context>): DispatchResult | Promise<DispatchResult> {
  return dispatchFrom(run, 0, [])
}

function dispatchFrom<Context>(
  run: DispatchRun<Context>,
  first: number,
  errors: unknown[],
): DispatchResult | Promise<DispatchResult> {
  const { handlers, completedHandlers } = run
  for (let index = first; index < handlers.length; index++) {
    const handler = handlers[index] as RegisteredHandler
    const checkpoint = handler.name ?? (handlers.length === 1 ? ONLY_HANDLER : undefined)
    if (checkpoint !== undefined && completedHandlers.includes(checkpoint)) continue
    const reason = run.abandonedBecause()
    if (reason !== undefined) {
      // What was not run is not done: without a failure the delivery would be recorded as finished.
      errors.push(reason)
      break
    }
    try {
      const pending = handler.run(run.event as never, run.contextFor(checkpoint) as never)
      if (isPromiseLike(pending)) return waitFor(run, index, Promise.resolve(pending), errors)
      markDone(run, index)
    } catch (error) {
      errors.push(error)
    }
  }
  return { errors, permanent: errors.length > 0 && errors.every(isPermanentError) }
}

function waitFor<Context>(
  run: DispatchRun<Context>,
  index: number,
  pending: Promise<unknown>,
  errors: unknown[],
): Promise<DispatchResult> {
  return pending.then(
    () => {
      markDone(run, index)
      return dispatchFrom(run, index + 1, errors)
    },
    (error: unknown) => {
      errors.push(error)
      return dispatchFrom(run, index + 1, errors)
    },
  )
}

function markDone<Context>({ handlers, completedHandlers, onCheckpoint }: DispatchRun<Context>, index: number): void {
  const { name } = handlers[index] as RegisteredHandler
  if (name === undefined) return
  if (!completedHandlers.includes(name)) completedHandlers.push(name)
  if (index < handlers.length - 1) onCheckpoint()
}

/** One error of several: the error itself where there is only one. */
export function joinErrors(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} handlers failed`)
}
