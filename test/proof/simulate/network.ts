/** The network between the processes and a shared service. It loses, delays and drops calls, and has outages. */
import type { Process } from './host.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

/** Calls `apply` on the service. `onFault` is called with the key of each delivery that a fault affects. */
export type Call = <T>(process: Process, key: string, onFault: (key: string) => void, apply: () => T) => Promise<T>

/** Makes the network to one service of a world. */
export function createNetwork(world: World, scenario: Scenario): Call {
  const { chance } = world
  let outageUntil = 0
  planOutages(world, scenario, (until) => {
    outageUntil = until
  })
  return function call(process, key, onFault, apply) {
    return new Promise((resolve, reject) => {
      if (!process.isAlive()) return
      const refuse = () => process.after(1, () => reject(new Error('connection refused')))
      const fault = () => onFault(key)
      const latency = () => {
        if (!chance.happens(scenario.callSlow)) return chance.between(0, 40)
        fault()
        return chance.between(500, 4000)
      }
      world.after(latency(), () => {
        if (outageUntil > world.now()) {
          fault()
          // A host that is down either refuses the connection or doesn't respond.
          if (chance.happens(0.5)) refuse()
          return
        }
        if (chance.happens(scenario.callLost)) {
          fault()
          if (chance.happens(0.5)) refuse()
          return
        }
        let response: { readonly value: ReturnType<typeof apply> } | { readonly error: unknown }
        try {
          response = { value: apply() }
        } catch (error) {
          response = { error }
        }
        if (chance.happens(scenario.responseLost)) {
          fault()
          if (chance.happens(0.5)) refuse()
          return
        }
        process.after(latency(), () => ('value' in response ? resolve(response.value) : reject(response.error)))
      })
    })
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
