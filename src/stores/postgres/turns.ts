/**
 * Turns: lets so many through at once, the others in the order they came. Who has waited too long leaves the queue, and never gets a turn.
 */
import { type Clock, withTimeout } from '../../clock.js'

/** A queue in front of something of which there is only so much. */
export interface Turns {
  /** Waits for a turn, at most `limitMs` milliseconds; `false` when there was none. */
  take(limitMs: number): Promise<boolean>
  /** Ends a turn that was taken. */
  give(): void
}

/** Makes turns for `count` at once. */
export function createTurns(count: number, clock: Clock): Turns {
  let free = count
  const waiting = new Set<() => void>()
  return {
    async take(limitMs) {
      if (free > 0) {
        free--
        return true
      }
      let call = () => {}
      const called = new Promise<void>((resolve) => {
        call = resolve
      })
      waiting.add(call)
      await withTimeout(clock, limitMs, () => called)
      // Still in the queue: nobody called.
      return !waiting.delete(call)
    },
    give() {
      const [next] = waiting
      if (next && waiting.delete(next)) next()
      else free++
    },
  }
}
