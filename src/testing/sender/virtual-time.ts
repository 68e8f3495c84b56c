/**
 * Advances a fixed clock from timer to timer until a promise settles. Work that doesn't use the clock, such as a database call, a file or
 * a digest, gets real time first.
 */
import { systemClock } from '../../clock.js'
import type { FixedClock } from '../fixed-clock.js'

/** The real time that such work may take before the clock advances without it, in milliseconds. */
const PATIENCE_MS = 50

/** Resolves to the result of `task`. `isWaiting` returns whether a request is waiting for its response. */
export async function runOnVirtualTime<T>(clock: FixedClock, task: Promise<T>, isWaiting: () => boolean): Promise<T> {
  let isDone = false
  const markDone = () => {
    isDone = true
  }
  task.then(markDone, markDone)
  for (;;) {
    await clock.advance(0)
    await allowRealTime(() => isWaiting() && !isDone)
    const next = clock.nextTimerAt()
    // Without a timer, advancing the clock can't change anything.
    if (isDone || next === undefined) return task
    await clock.advance(Math.max(0, next - clock.now()))
  }
}

async function allowRealTime(isWaiting: () => boolean): Promise<void> {
  const until = systemClock.now() + PATIENCE_MS
  while (isWaiting() && systemClock.now() < until) {
    await new Promise<void>((resolve) => systemClock.setTimer(1, resolve))
  }
}
