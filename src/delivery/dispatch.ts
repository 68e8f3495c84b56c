/**
 * Stage 6 of 8, dispatch: runs the event's handlers one after the other, in order of registration. In: the event, its handlers and the
 * names of the handlers that an earlier attempt finished. Out: the failures. A failing handler doesn't stop the others.
 */
import { isPermanentError } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { RegisteredHandler } from '../receiver/handlers.js'

/** The handlers of one event and what they need. */
export interface Dispatch<Context> {
  readonly event: unknown
  readonly handlers: readonly RegisteredHandler[]
  /** Names of finished handlers. Grows while handlers run. */
  readonly completedHandlers: string[]
  /** If aborted, no further handler is started and the attempt has failed. */
  readonly signal: AbortSignal
  /** Creates the context of one handler. */
  contextFor(checkpoint: string | undefined): Context
  /** Called when a named handler has finished and others will follow. */
  onCheckpoint(): void
}

/** What the handlers left. */
export interface DispatchResult {
  readonly errors: readonly unknown[]
  /** Whether every error says that no other attempt can help. */
  readonly isPermanent: boolean
}

/** The checkpoint of an event's only handler if it has no name. */
const ONLY_HANDLER = '(only)'

const ALL_FINISHED: DispatchResult = { errors: [], isPermanent: false }

/** Runs every handler that isn't finished. A single synchronous handler has its result immediately. Never throws or rejects. */
export function dispatch<Context>(run: Dispatch<Context>): DispatchResult | Promise<DispatchResult> {
  return run.handlers.length === 1 ? dispatchOne(run, run.handlers[0] as RegisteredHandler) : dispatchAll(run)
}

/** The fast path: most events have one handler, and awaiting a synchronous handler costs more than running it. */
function dispatchOne<Context>(
  run: Dispatch<Context>,
  handler: RegisteredHandler,
): DispatchResult | Promise<DispatchResult> {
  if (isFinished(run, handler)) return ALL_FINISHED
  if (run.signal.aborted) return toResult([run.signal.reason])
  try {
    const returned = call(run, handler)
    if (isPromiseLike(returned)) return finishOne(run, handler, returned)
  } catch (error) {
    return toResult([error])
  }
  markFinished(run, handler)
  return ALL_FINISHED
}

async function finishOne<Context>(
  run: Dispatch<Context>,
  handler: RegisteredHandler,
  returned: PromiseLike<unknown>,
): Promise<DispatchResult> {
  try {
    await returned
  } catch (error) {
    return toResult([error])
  }
  markFinished(run, handler)
  return ALL_FINISHED
}

async function dispatchAll<Context>(run: Dispatch<Context>): Promise<DispatchResult> {
  const errors: unknown[] = []
  for (const handler of run.handlers) {
    if (isFinished(run, handler)) continue
    if (run.signal.aborted) {
      // The remaining handlers aren't finished. Without an error the delivery would be recorded as processed.
      errors.push(run.signal.reason)
      break
    }
    try {
      await call(run, handler)
      markFinished(run, handler)
    } catch (error) {
      errors.push(error)
    }
  }
  return toResult(errors)
}

function call<Context>(run: Dispatch<Context>, handler: RegisteredHandler): unknown {
  return handler.run(run.event as never, run.contextFor(checkpointOf(run, handler)) as never)
}

function checkpointOf<Context>({ handlers }: Dispatch<Context>, { name }: RegisteredHandler): string | undefined {
  return name ?? (handlers.length === 1 ? ONLY_HANDLER : undefined)
}

function isFinished<Context>(run: Dispatch<Context>, handler: RegisteredHandler): boolean {
  const checkpoint = checkpointOf(run, handler)
  return checkpoint !== undefined && run.completedHandlers.includes(checkpoint)
}

function markFinished<Context>(run: Dispatch<Context>, handler: RegisteredHandler): void {
  const { handlers, completedHandlers } = run
  const { name } = handler
  if (name === undefined) return
  if (!completedHandlers.includes(name)) completedHandlers.push(name)
  if (handler !== handlers.at(-1)) run.onCheckpoint()
}

function toResult(errors: readonly unknown[]): DispatchResult {
  return { errors, isPermanent: errors.length > 0 && errors.every(isPermanentError) }
}

/** Several errors as one; a single error stays itself. */
export function joinErrors(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} handlers failed`)
}
