/**
 * A simulated process: it has a clock that may be wrong, may freeze and thaw, and may crash, after which nothing of it ever goes on.
 */
import type { Clock } from '../../../src/clock.js'
import type { World } from './world.js'

/** One process. */
export interface Host {
  readonly clock: Clock
  /** Runs `fn` in the process after `ms`: later when it is frozen by then, never when it has crashed by then. */
  after(ms: number, fn: () => void): () => void
  /** Waits within the process. */
  sleep(ms: number): Promise<void>
  isUp(): boolean
  isFrozen(): boolean
  /** Counts crashes and freezes: changed during a try, something befell the process. */
  mishaps(): number
  crash(): void
  freeze(ms: number): void
  /** Called when it is up again after a crash. */
  onRestart(fn: () => void): void
}

const RESTART_MS = 5000

/** Makes a process whose clock is off by `skewMs`. */
export function createHost(world: World, skewMs: number): Host {
  let life = 0
  let up = true
  let frozenUntil = 0
  let mishaps = 0
  let restarted = () => {}
  const after = (ms: number, fn: () => void) => {
    const mine = life
    let cancel = () => {}
    const fire = () => {
      if (mine !== life) return
      if (frozenUntil > world.now()) cancel = world.after(frozenUntil - world.now(), fire)
      else fn()
    }
    cancel = world.after(ms, fire)
    return () => cancel()
  }
  return {
    after,
    clock: { now: () => world.now() + skewMs, setTimer: after },
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    isUp: () => up,
    isFrozen: () => frozenUntil > world.now(),
    mishaps: () => mishaps,
    crash() {
      if (!up) return
      life++
      mishaps++
      up = false
      frozenUntil = 0
      world.after(RESTART_MS, () => {
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
