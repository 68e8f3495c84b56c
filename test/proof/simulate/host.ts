/** A simulated machine and its process. Its clock may be wrong, and the process may freeze or crash. A crashed process never continues. */
import type { Clock } from '../../../src/clock.js'
import type { World } from './world.js'

/** A machine that runs one process at a time. */
export interface Host {
  /** The current process, or the last one. */
  process(): Process
  isUp(): boolean
  isFrozen(): boolean
  /** Counts crashes and freezes. If it changes during an attempt, a fault affected the process. */
  mishaps(): number
  crash(): void
  freeze(ms: number): void
  /** Calls `fn` after each restart, when a new process runs. */
  onRestart(fn: () => void): void
}

/** A process. Nothing that it does after its crash has an effect, not even work in the same moment. */
export interface Process {
  readonly clock: Clock
  /** Runs `fn` in the process after `ms`: later if the process is frozen then, and never if it has crashed. */
  after(ms: number, fn: () => void): () => void
  /** Waits within the process. */
  sleep(ms: number): Promise<void>
  isAlive(): boolean
}

const RESTART_MS = 5000

/** Makes a machine with a process. Its clock is off by `skewMs`. */
export function createHost(world: World, skewMs: number): Host {
  let up = true
  let frozenUntil = 0
  let mishaps = 0
  let restarted = () => {}
  const boot = (): Process => {
    const isAlive = () => up && current === process
    const after = (ms: number, fn: () => void) => {
      let cancel = () => {}
      const fire = () => {
        if (!isAlive()) return
        if (frozenUntil > world.now()) cancel = world.after(frozenUntil - world.now(), fire)
        else fn()
      }
      if (isAlive()) cancel = world.after(ms, fire)
      return () => cancel()
    }
    const process: Process = {
      after,
      clock: { now: () => world.now() + skewMs, setTimer: after },
      sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
      isAlive,
    }
    return process
  }
  let current = boot()
  return {
    process: () => current,
    isUp: () => up,
    isFrozen: () => frozenUntil > world.now(),
    mishaps: () => mishaps,
    crash() {
      if (!up) return
      mishaps++
      up = false
      frozenUntil = 0
      world.after(RESTART_MS, () => {
        current = boot()
        up = true
        restarted()
      })
    },
    freeze(ms) {
      mishaps++
      frozenUntil = Math.max(frozenUntil, world.now() + ms)
    },
    onRestart(fn) {
      restarted = fn
    },
  }
}
