/**
 * Freezes a process in its handler for longer than its lease. Another process processes the delivery meanwhile. When the first process
 * resumes, its late transaction and completion must change nothing.
 */
import { once } from 'node:events'
import { type LaneSetup, newDelivery, post, startWorker } from './sender.js'

/** The result of the freezes. */
export interface FreezeResult {
  readonly frozen: number
  /** Deliveries without exactly one effect. */
  readonly wrong: number
  /** Deliveries that didn't get 200 from the second process, 500 from the first, and 200 once more at the end. */
  readonly unexpected: number
}

const FROZEN_MS = 90_000
const HANDLER_MS = 150

/** Freezes `times` processes, one after another. */
export async function freezeWorkers(setup: LaneSetup, times: number): Promise<FreezeResult> {
  const effects: string[] = []
  let unexpected = 0
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
    if (responses.join() !== '200,500,200') unexpected++
    for (const { child } of [first, second]) {
      child.disconnect()
      await once(child, 'exit')
    }
  }
  const counts = await setup.observer.countEffects()
  return { frozen: times, wrong: effects.filter((effect) => counts.get(effect) !== 1).length, unexpected }
}
