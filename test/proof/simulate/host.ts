/**
 * A simulated machine and its process: it has a clock that may be wrong, may freeze and thaw, and may crash, after which nothing of it ever
 * goes on.
 */
import type { Clock } from '../../../src/clock.js'
import type { World } from './world.js'

/** A machine on which one process runs at a time. */
export interface Host {
  /** The process that runs now, or ran last. */
  process(): Process
  isUp(): boolean
  isFrozen(): boolean
  /** Counts crashes and freezes: changed during a try, something befell the process. */
  mishaps(): number
  crash(): void
  freeze(ms: number): void
  /** Called when it is up again after a crash, with a new process. */
  onRestart(fn: () => void): void
}

/** One process: what it does after its end has no effect, even what was about to run in the very moment of the crash. */
export interface Process {
  readonly clock: Clock
  /** Runs `fn` in the process after `ms`: later when it is frozen by then, never when it has crashed by then. */
  after(ms: number, fn: () => void): () => void
  /** Waits within the process. */
  sleep(ms: number): Promise<void>
  isAlive(): boolean
}

const RESTART_MS = 5000

/** Makes a machine whose clock is off by `skewMs`, with a process on it. */
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
