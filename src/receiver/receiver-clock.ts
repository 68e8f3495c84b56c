/** The clock of one receiver: once `close` has stopped waiting, no timer of the receiver keeps the process alive. */
import { type Clock, monotonicMs } from '../clock.js'

/** A clock whose timers can end with the receiver. */
export interface ReceiverClock extends Clock {
  /** Fires every running timer now, so that everything that waits for a time limit ends. Later timers don't keep the process alive. */
  expire(): void
}

/** Wraps the clock of a receiver. */
export function createReceiverClock(clock: Clock): ReceiverClock {
  const running = new Set<() => void>()
  let hasExpired = false
  return {
    now: () => clock.now(),
    monotonicNow: () => monotonicMs(clock),
    setTimer(ms, fn, { isIdle = hasExpired } = {}) {
      if (isIdle) return clock.setTimer(ms, fn, { isIdle })
      let cancelTimer = () => {}
      const cancel = () => {
        running.delete(fire)
        cancelTimer()
      }
      const fire = () => {
        cancel()
        fn()
      }
      running.add(fire)
      cancelTimer = clock.setTimer(ms, fire)
      return cancel
    },
    expire() {
      hasExpired = true
      for (const fire of running) fire()
    },
  }
}
