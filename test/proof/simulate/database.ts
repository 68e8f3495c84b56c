/**
 * The shared database of the processes: the real store's state machine behind a network that loses, delays and drops calls. Its transaction
 * applies the effect and the checkpoint in one step, and only for the token that holds the claim.
 */
import { WebhookError } from '../../../src/errors.js'
import { memoryStore } from '../../../src/stores/memory/memory-store.js'
import type { Quarantine, QuarantineEntry, Store } from '../../../src/stores/store.js'
import type { Process } from './host.js'
import { createNetwork } from './network.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

/** The simulation's `context.transaction`. */
export type SimulatedTransaction = (effect: () => void) => Promise<void>

/** The shared database. */
export interface Database {
  /** Connects a process. `onFault` is called with the key of each delivery that a fault affects. */
  connect(process: Process, onFault: (key: string) => void): Store<SimulatedTransaction>
  /** The entries of the quarantine, by key. */
  readonly kept: ReadonlyMap<string, QuarantineEntry>
}

const LEASE_MS = 55_000

/** Makes the database of a world. */
export function createDatabase(world: World, scenario: Scenario): Database {
  const state = memoryStore({ maxKeys: 2 ** 24, clock: { now: () => world.now(), setTimer: world.after } })
  const kept = new Map<string, QuarantineEntry>()
  const call = createNetwork(world, scenario)
  return {
    kept,
    connect(process, onFault) {
      const via = <Request extends { readonly key: string }, T>(apply: (request: Request) => T) => {
        return (request: Request) => call(process, request.key, onFault, () => apply(request))
      }
      const sink = (entry: QuarantineEntry) => call(process, entry.key, onFault, () => void kept.set(entry.key, entry))
      const quarantine: Quarantine = Object.assign(sink, {
        discard: (key: string) => call(process, key, onFault, () => void kept.delete(key)),
        get: async (key: string) => kept.get(key),
        list: async () => [...kept.values()],
      })
      return {
        claim: via(state.claim as Store['claim']),
        renew: via(state.renew as Store['renew']),
        complete: via(state.complete as Store['complete']),
        release: via(state.release as Store['release']),
        quarantine,
        transaction: ({ key, token, checkpoint }) => {
          return (effect) =>
            call(process, key, onFault, () => {
              const held = state.renew({ key, token, leaseMs: LEASE_MS, completedHandlers: [checkpoint] })
              if (!held) throw new WebhookError('lease_lost', 'the claim was lost before the commit')
              effect()
            })
        },
      } as Store<SimulatedTransaction>
    },
  }
}
