/**
 * What is running: counts deliveries from their first byte to their last write, so that `close` knows when it may stop.
 */

/** Work that is still going on. */
export interface Running {
  /** Counts a piece of work until it settles; gives it back. `abort` is called when the receiver gives up waiting. */
  track<T>(work: Promise<T>, abort?: () => void): Promise<T>
  /** Resolves once nothing runs. */
  whenIdle(): Promise<void>
  /** Aborts whatever still runs. */
  abortAll(): void
}

/** Makes an empty count. */
export function createRunning(): Running {
  let count = 0
  const aborts = new Set<() => void>()
  let waiting: Array<() => void> = []
  const settle = (abort: (() => void) | undefined) => {
    count--
    if (abort) aborts.delete(abort)
    if (count > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }
  return {
    track(work, abort) {
      count++
      if (abort) aborts.add(abort)
      work.then(
        () => settle(abort),
        () => settle(abort),
      )
      return work
    },
    whenIdle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    abortAll() {
      for (const abort of aborts) abort()
    },
  }
}
