/** Watches the connection while operations wait for it: why it isn't ready, and when it has to be replaced. */
import { WebhookError } from '../../errors.js'
import type { Connection } from './connection.js'
import { explainPermanent, type RepeatReason, textOf } from './redis-errors.js'

/** A watched connection. Times are monotonic milliseconds. */
export interface ConnectionWatch {
  /** `ready`: the client sends immediately. `closed`: it won't connect by itself. */
  state(now: number): 'ready' | 'connecting' | 'closed'
  /** Waits a moment before the next call and, if the connection leads to the wrong server or to none, replaces it. */
  repair(reason: RepeatReason | 'lost' | 'gone', now: number): void
  /** Returns the error of an operation that couldn't be sent. */
  explain(state: 'connecting' | 'closed'): unknown
  /** Removes the listener of the client. Call it when no operation waits. */
  rest(): void
}

/** The pause before a call is repeated, in milliseconds. */
const REPEAT_PAUSE_MS = 50

/** Starts to watch a connection. */
export function watchConnection(connection: Connection): ConnectionWatch {
  let pausedUntil = Number.NEGATIVE_INFINITY
  let lastError: unknown
  let stopListening: (() => void) | undefined
  const rest = () => {
    stopListening?.()
    stopListening = undefined
  }
  const listen = () => {
    if (stopListening) return
    lastError = undefined
    stopListening = connection.onError((error) => {
      lastError = error
    })
  }
  return {
    state(now) {
      const state = now < pausedUntil ? 'connecting' : connection.state()
      if (state === 'ready') rest()
      else listen()
      return state
    },
    repair(reason, now) {
      // Groups on their way at the same time fail for the same reason.
      if (now < pausedUntil) return
      pausedUntil = now + REPEAT_PAUSE_MS
      // Without a listener, node-redis would throw the error of the lost connection.
      listen()
      if (reason === 'wrong_server' || reason === 'gone') connection.reconnect(reason === 'gone')
    },
    explain(state) {
      const permanent = explainPermanent(lastError)
      if (permanent !== lastError) return permanent
      const fix = state === 'closed' ? ' It was never connected, or it was closed: call await client.connect().' : ''
      const cause = lastError === undefined ? '' : ` Its last error: ${textOf(lastError)}.`
      const message = `The Redis client is not connected, so nothing was sent.${fix}${cause}`
      return new WebhookError('store_unavailable', message, lastError === undefined ? {} : { cause: lastError })
    },
    rest,
  }
}
