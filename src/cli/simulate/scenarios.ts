/** What can happen to a delivery on its way, played between a simulated GoValid and a receiver. */
import type { Delivery, Outcome } from '../../types.js'
import type { HandlerReceiver } from '../terminal/handler-file.js'

/** What is called for each try. */
export interface Receiving {
  receive(delivery: Delivery): Promise<Outcome>
}

/** Something that happens to every delivery; `number` counts its tries from 1. */
export interface Scenario {
  readonly name: string
  readonly play: (receiver: Pick<HandlerReceiver, 'receive'>, delivery: Delivery, number: number) => Promise<Outcome>
}

const NEVER = new Promise<never>(() => {})

/** In the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'every answer arrives',
    play: (receiver, delivery) => receiver.receive(delivery),
  },
  {
    name: 'the first answer is lost on its way',
    async play(receiver, delivery, number) {
      const outcome = await receiver.receive(delivery)
      return number === 1 ? NEVER : outcome
    },
  },
  {
    name: 'two copies come at once',
    async play(receiver, delivery) {
      const [first] = await Promise.all([receiver.receive(delivery), receiver.receive(delivery)])
      return first
    },
  },
]
