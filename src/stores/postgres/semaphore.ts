/**
 * Limits how many callers use a resource at once. The others wait in order of arrival. A caller that waits too long leaves the
 * queue.
 */
import { type Clock, withTimeout } from '../../clock.js'

/** A fixed number of permits, and a queue of callers that wait for one. */
export interface Semaphore {
  /** Waits at most `limitMs` milliseconds for a permit. Returns `false` if the caller got none. */
  acquire(limitMs: number): Promise<boolean>
  /** Returns an acquired permit, which goes to the next caller in the queue. */
  release(): void
}

/** Creates a semaphore with `permits` permits. */
export function createSemaphore(permits: number, clock: Clock): Semaphore {
  let free = permits
  const waiting = new Set<() => void>()
  return {
    async acquire(limitMs) {
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
      // `release` removes the caller that it calls. A caller that is still in the queue has timed out.
      return !waiting.delete(call)
    },
    release() {
      const [next] = waiting
      if (next && waiting.delete(next)) next()
      else free++
    },
  }
}
