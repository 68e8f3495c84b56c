/**
 * Lets a fixed clock go on from timer to timer until some work is done. What does not wait on that clock (a database, a file, a digest)
 * is given real time first.
 */
import { systemClock } from '../../clock.js'
import type { FixedClock } from '../fixed-clock.js'

/** How long real work may take before the clock goes on without it, in milliseconds. */
const PATIENCE_MS = 50

/** Resolves to what `work` does; `isWaiting` says whether somebody waits for an answer just now. */
export async function runOnVirtualTime<T>(clock: FixedClock, work: Promise<T>, isWaiting: () => boolean): Promise<T> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  work.then(end, end)
  for (;;) {
    await clock.advance(0)
    await letRealWorkGoOn(() => isWaiting() && !isDone)
    const next = clock.nextTimerAt()
    // Without a timer there is nothing that time could bring.
    if (isDone || next === undefined) return work
    await clock.advance(Math.max(0, next - clock.now()))
  }
}

async function letRealWorkGoOn(isWaiting: () => boolean): Promise<void> {
  const until = systemClock.now() + PATIENCE_MS
  while (isWaiting() && systemClock.now() < until) {
    await new Promise<void>((resolve) => systemClock.setTimer(1, resolve))
  }
}
