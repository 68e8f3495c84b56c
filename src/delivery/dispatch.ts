/**
 * Stage 6 of 8, dispatch: runs the event's handlers one after the other, in order of registration. In: the event, its handlers, the names
 * of those that an earlier try finished. Out: the failures. A failing handler does not stop the others.
 */
import { isPermanentError } from '../errors.js'

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
  readonly handlersDone: Set<string>
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

/** Runs every handler that is not done. Never rejects. */
export async function dispatch<Context>(run: DispatchRun<Context>): Promise<DispatchResult> {
  const errors: unknown[] = []
  const { handlers, handlersDone } = run
  for (const [index, handler] of handlers.entries()) {
    const checkpoint = handler.name ?? (handlers.length === 1 ? ONLY_HANDLER : undefined)
    if (checkpoint !== undefined && handlersDone.has(checkpoint)) continue
    const reason = run.abandonedBecause()
    if (reason !== undefined) {
      // What was not run is not done: without a failure the delivery would be recorded as finished.
      errors.push(reason)
      break
    }
    try {
      await handler.run(run.event as never, run.contextFor(checkpoint) as never)
    } catch (error) {
      errors.push(error)
      continue
    }
    if (handler.name === undefined) continue
    handlersDone.add(handler.name)
    if (index < handlers.length - 1) run.onCheckpoint()
  }
  return { errors, permanent: errors.length > 0 && errors.every(isPermanentError) }
}

/** One error of several: the error itself where there is only one. */
export function joinErrors(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} handlers failed`)
}
