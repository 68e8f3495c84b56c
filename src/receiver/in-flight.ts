/**
 * The work that is in flight: counts deliveries from their first byte to their last write, so that `close` knows what to wait for.
 */
import { MAX_TIMER_MS, withTimeout } from '../clock.js'
import type { InboxStarter } from './inbox-starter.js'
import type { ReceiverClock } from './receiver-clock.js'

/** A receiver's work in flight. */
export interface InFlight {
  /** Counts a piece of work until it settles. */
  track(work: Promise<unknown>): void
  /** Counts a piece of work from now on; `end` uncounts it. */
  begin(): void
  end(): void
  /** The number of pieces of work. */
  count(): number
  /** Resolves once nothing is in flight. */
  whenIdle(): Promise<void>
  /** Calls `listener` when the receiver stops waiting, immediately if it already has. The returned function unsubscribes. */
  onAbandoned(listener: () => void): () => void
  /** Whether the receiver has stopped waiting. */
  isAbandoned(): boolean
  /** Stops waiting and notifies the listeners of the work in flight. */
  abandon(): void
}

/** Creates an empty count. */
export function createInFlight(): InFlight {
  let count = 0
  let isAbandoned = false
  const listeners = new Set<() => void>()
  let waiting: Array<() => void> = []
  const end = () => {
    count--
    if (count > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }
  return {
    track(work) {
      count++
      work.then(end, end)
    },
    begin() {
      count++
    },
    end,
    count: () => count,
    whenIdle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    onAbandoned(listener) {
      if (isAbandoned) listener()
      else listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    isAbandoned: () => isAbandoned,
    abandon() {
      isAbandoned = true
      for (const listener of listeners) listener()
      listeners.clear()
    },
  }
}

/** Stops the inbox and waits for the work in flight, at most `timeoutMs`. Rejects afterwards if the inbox could not be stopped. */
export async function finishInFlight(
  inbox: InboxStarter,
  inFlight: InFlight,
  clock: ReceiverClock,
  timeoutMs: number | undefined,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const ended = inbox
    .stop()
    .catch((error: unknown) => {
      failure = { error }
    })
    .then(inFlight.whenIdle)
  if (timeoutMs === undefined) await ended
  else {
    const result = await withTimeout(clock, Math.min(timeoutMs, MAX_TIMER_MS), () => ended)
    if (result.status === 'late') {
      inFlight.abandon()
      clock.expire()
    }
  }
  if (failure) throw failure.error
}
