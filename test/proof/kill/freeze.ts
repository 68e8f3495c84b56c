/**
 * A process that is frozen in its handler for longer than its lease: another works the delivery meanwhile, and when the first goes on, its
 * late transaction and its late completion change nothing.
 */
import { once } from 'node:events'
import { type LaneSetup, newDelivery, post, startWorker } from './sender.js'

/** What came of it. */
export interface FreezeResult {
  readonly frozen: number
  /** Deliveries with another number of effects than one. */
  readonly wrong: number
  /** Deliveries that were not answered 200 by the second process, 500 by the first, and 200 once more at the end. */
  readonly otherwise: number
}

const FROZEN_MS = 90_000
const HANDLER_MS = 150

/** Freezes so many processes, one after the other. */
export async function freezeWorkers(setup: LaneSetup, times: number): Promise<FreezeResult> {
  const effects: string[] = []
  let otherwise = 0
  for (let time = 0; time < times; time++) {
    const sent = await newDelivery(setup, effects)
    const first = await startWorker(setup, { pauseMs: HANDLER_MS })
    const late = post(first.port, sent)
    await once(first.child, 'message')
    first.child.kill('SIGSTOP')
    await setup.observer.makeLater(FROZEN_MS)
    const second = await startWorker(setup, {})
    const response = await post(second.port, sent)
    first.child.kill('SIGCONT')
    const responses = [response, await late, await post(second.port, sent)]
    if (responses.join() !== '200,500,200') otherwise++
    for (const { child } of [first, second]) {
      child.disconnect()
      await once(child, 'exit')
    }
  }
  const counts = await setup.observer.countEffects()
  return { frozen: times, wrong: effects.filter((effect) => counts.get(effect) !== 1).length, otherwise }
}
