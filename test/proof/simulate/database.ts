/**
 * The service that all processes share: the real store's state machine behind a network that loses, delays and cuts off.
 * Its transaction applies the effect and the checkpoint in one step, and only for the token that holds the claim.
 */
import { WebhookError } from '../../../src/errors.js'
import { memoryStore } from '../../../src/stores/memory.js'
import type { Quarantine, QuarantineEntry, Store } from '../../../src/stores/store.js'
import type { Host } from './host.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

/** `context.transaction` in the simulation. */
export type SimulatedTransaction = (effect: () => void) => Promise<void>

/** The shared service. */
export interface Database {
  /** A process's connection to it; `onFault` is told the key a fault befell. */
  connect(host: Host, onFault: (key: string) => void): Store<SimulatedTransaction>
  /** What is in quarantine. */
  readonly kept: ReadonlyMap<string, QuarantineEntry>
}

const LEASE_MS = 55_000

/** Makes the service of a world. */
export function createDatabase(world: World, scenario: Scenario): Database {
  const { chance } = world
  const state = memoryStore({ maxKeys: 2 ** 24, clock: { now: () => world.now(), setTimer: world.after } })
  const kept = new Map<string, QuarantineEntry>()
  let outageUntil = 0
  planOutages(world, scenario, (until) => {
    outageUntil = until
  })

  const call = <T>(host: Host, key: string, onFault: (key: string) => void, apply: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const refuse = () => host.after(1, () => reject(new Error('connection refused')))
      const fault = () => onFault(key)
      const latency = () => {
        if (!chance.happens(scenario.callSlow)) return chance.between(0, 40)
        fault()
        return chance.between(500, 4000)
      }
      world.after(latency(), () => {
        if (outageUntil > world.now()) {
          fault()
          // A host that is down either refuses or says nothing at all.
          if (chance.happens(0.5)) refuse()
          return
        }
        if (chance.happens(scenario.callLost)) {
          fault()
          if (chance.happens(0.5)) refuse()
          return
        }
        let answer: { readonly value: T } | { readonly error: unknown }
        try {
          answer = { value: apply() }
        } catch (error) {
          answer = { error }
        }
        if (chance.happens(scenario.answerLost)) {
          fault()
          if (chance.happens(0.5)) refuse()
          return
        }
        host.after(latency(), () => ('value' in answer ? resolve(answer.value) : reject(answer.error)))
      })
    })

  return {
    kept,
    connect(host, onFault) {
      const via = <Request extends { readonly key: string }, T>(apply: (request: Request) => T) => {
        return (request: Request) => call(host, request.key, onFault, () => apply(request))
      }
      const sink = (entry: QuarantineEntry) => call(host, entry.key, onFault, () => void kept.set(entry.key, entry))
      const quarantine: Quarantine = Object.assign(sink, {
        discard: (key: string) => call(host, key, onFault, () => void kept.delete(key)),
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
            call(host, key, onFault, () => {
              const held = state.renew({ key, token, leaseMs: LEASE_MS, handlersDone: [checkpoint] })
              if (!held) throw new WebhookError('lease_lost', 'the claim was lost before the commit')
              effect()
            })
        },
      } as Store<SimulatedTransaction>
    },
  }
}

function planOutages(world: World, scenario: Scenario, begin: (until: number) => void): void {
  const hours = scenario.spanMs / 3_600_000
  const count = Math.round(scenario.outagesPerHour * hours)
  for (let index = 0; index < count; index++) {
    const lengthMs = world.chance.between(500, scenario.outageMs)
    world.after(world.chance.unit() * scenario.spanMs, () => begin(world.now() + lengthMs))
  }
}
