/** The scenarios: what the network does to deliveries between the simulated GoValid and a receiver. */
import type { Delivery, Outcome } from '../../types.js'
import type { HandlerReceiver } from '../terminal/handler-file.js'

/** What happens to every delivery. `attempt` counts the attempts of a delivery from 1. */
export interface Scenario {
  readonly name: string
  readonly play: (receiver: Pick<HandlerReceiver, 'receive'>, delivery: Delivery, attempt: number) => Promise<Outcome>
}

const NO_RESPONSE = new Promise<never>(() => {})

/** The scenarios, in order. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'every response arrives',
    play: (receiver, delivery) => receiver.receive(delivery),
  },
  {
    name: 'the first response is lost',
    async play(receiver, delivery, attempt) {
      const outcome = await receiver.receive(delivery)
      return attempt === 1 ? NO_RESPONSE : outcome
    },
  },
  {
    name: 'two copies arrive at the same time',
    async play(receiver, delivery) {
      const [first] = await Promise.all([receiver.receive(delivery), receiver.receive(delivery)])
      return first
    },
  },
]
