/**
 * GoValid's sender in the simulation: five tries, 5 s each, exactly 200 is success. Source: govalid docs, webhooks setup.
 */
import type { SimulatedEvent } from './events.js'
import type { World } from './world.js'

/** Answers one try: an HTTP status, or nothing at all. */
export type Endpoint = (event: SimulatedEvent, response: (status: number) => void) => void

/** What a try that failed was like. */
export interface FailedAttempt {
  readonly event: SimulatedEvent
  readonly number: number
  /** The status, or `undefined` when there was no answer within 5 s. */
  readonly status: number | undefined
}

/** Minutes between one try and the next. */
const PAUSES_MIN = [1, 5, 15, 60]
const TIMEOUT_MS = 5000

/** What the sender tells. */
export interface SenderHooks {
  /** Called before each try; what it gives back is asked, when the try failed, whether something befell it. */
  watch(event: SimulatedEvent): () => boolean
  failed(failed: FailedAttempt): void
  /** Five tries failed: the webhook is disabled. */
  gaveUp(event: SimulatedEvent): void
}

/** Sends an event until it is taken or given up. `fromEvent`: the delays count from the first try, not from the one before. */
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
    let over = false
    const end = (status: number | undefined) => {
      if (over) return
      over = true
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
