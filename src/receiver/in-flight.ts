/**
 * What is running: counts deliveries from their first byte to their last write, so that `close` knows when it may stop.
 */

/** Work that is still going on. */
export interface Running {
  /** Counts a piece of work until it settles. */
  track(work: Promise<unknown>): void
  /** Counts a piece of work from now on; `end` takes it off again. */
  begin(): void
  end(): void
  /** How many pieces of work go on. */
  count(): number
  /** Resolves once nothing runs. */
  whenIdle(): Promise<void>
  /** Calls `listener` when the receiver gives up waiting, at once where it has; the returned function takes it back. */
  onGivenUp(listener: () => void): () => void
  /** Whether the receiver has given up waiting. */
  isGivenUp(): boolean
  /** Gives up waiting: whatever still runs is told. */
  giveUp(): void
}

/** Makes an empty count. */
export function createRunning(): Running {
  let count = 0
  let givenUp = false
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
    onGivenUp(listener) {
      if (givenUp) listener()
      else listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    isGivenUp: () => givenUp,
    giveUp() {
      givenUp = true
      for (const listener of listeners) listener()
      listeners.clear()
    },
  }
}
