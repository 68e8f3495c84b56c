/**
 * Measures the longest block of this process's event loop: one callback and the microtasks after it. Node's `monitorEventLoopDelay` can't
 * tell one long callback from many short ones, because libuv calls up to a thousand of them before it looks at its timers.
 */
import { createHook } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'

/** Starts to measure. `take` returns the longest block since the last call, in milliseconds. */
export function watchBlocks(): { take(): number } {
  let depth = 0
  let longest = 0
  let startedAt = performance.now()
  let idleBefore = performance.eventLoopUtilization().idle
  const endBlock = () => {
    const now = performance.now()
    const { idle } = performance.eventLoopUtilization()
    longest = Math.max(longest, now - startedAt - (idle - idleBefore))
    startedAt = now
    idleBefore = idle
  }
  createHook({
    before() {
      // A callback inside of another one, such as that of the HTTP parser, belongs to the same block.
      if (depth++ === 0) endBlock()
    },
    after() {
      depth--
    },
    trackPromises: false,
  }).enable()
  return {
    take() {
      const taken = longest
      longest = 0
      return taken
    },
  }
}
