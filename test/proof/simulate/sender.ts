/** GoValid's sender in the simulation: five attempts of 5 s each, and only 200 is a success. Source: govalid docs, webhooks setup. */
import type { SimulatedEvent } from './events.js'
import type { World } from './world.js'

/** Handles one attempt. Calls `response` with an HTTP status, or never. */
export type Endpoint = (event: SimulatedEvent, response: (status: number) => void) => void

/** A failed attempt. */
export interface FailedAttempt {
  readonly event: SimulatedEvent
  readonly number: number
  /** The HTTP status, or `undefined` without a response within 5 s. */
  readonly status: number | undefined
}

/** Minutes between attempts. */
const PAUSES_MIN = [1, 5, 15, 60]
const TIMEOUT_MS = 5000

/** The hooks of the sender. */
export interface SenderHooks {
  /** Called before each attempt. The returned function is called if the attempt fails, and returns whether a fault explains it. */
  watch(event: SimulatedEvent): () => boolean
  failed(failed: FailedAttempt): void
  /** Called after five failed attempts, when the webhook is disabled. */
  gaveUp(event: SimulatedEvent): void
}

/** Sends an event until it gets 200 or five attempts failed. With `fromEvent`, delays are measured from the first attempt. */
export function send(
  world: World,
  endpoint: Endpoint,
  event: SimulatedEvent,
  fromEvent: boolean,
  hooks: SenderHooks,
): void {
  const attempt = (number: number) => {
    event.attempts++
    const isExcused = hooks.watch(event)
    let hasEnded = false
    const end = (status: number | undefined) => {
      if (hasEnded) return
      hasEnded = true
      cancel()
      if (status === 200) {
        event.delivered = true
        return
      }
      if (!isExcused()) event.wasted++
      hooks.failed({ event, number, status })
      const pause = nextPauseMs(number, fromEvent)
      if (pause === undefined) hooks.gaveUp(event)
      else world.after(pause, () => attempt(number + 1))
    }
    const cancel = world.after(TIMEOUT_MS, () => end(undefined))
    endpoint(event, end)
  }
  attempt(1)
}

function nextPauseMs(number: number, fromEvent: boolean): number | undefined {
  const pause = PAUSES_MIN[number - 1]
  if (pause === undefined) return undefined
  return (fromEvent ? pause - (PAUSES_MIN[number - 2] ?? 0) : pause) * 60_000
}
