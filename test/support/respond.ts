/** Delivers on a fixed clock and measures the response, exact to the millisecond. */
import type { Delivery, Outcome } from '../../src/index.js'
import type { FixedClock } from '../../src/testing/index.js'
import { deliveryOf } from './receiving.js'

/** An outcome and the time until it, in milliseconds of the fixed clock. */
export interface Response {
  readonly outcome: Outcome
  readonly ms: number
}

/** Advances the clock from timer to timer until a delivery has its outcome. */
export async function respond(clock: FixedClock, pending: Promise<Outcome>): Promise<Response> {
  const since = clock.now()
  const outcomes: Outcome[] = []
  void pending.then((outcome) => outcomes.push(outcome))
  await clock.advance(0)
  while (!outcomes[0]) {
    const next = clock.nextTimerAt()
    if (next === undefined) throw new Error('no timer is pending, so the response never leaves')
    await clock.advance(next - clock.now())
  }
  return { outcome: outcomes[0], ms: clock.now() - since }
}

/** A delivery's body that arrives after `ms` milliseconds. */
export function bodyAfter(clock: FixedClock, ms: number): Partial<Delivery> {
  const bytes = deliveryOf().body as Uint8Array
  return {
    body: {
      read(consumer) {
        return clock.setTimer(ms, () => {
          consumer.chunk(bytes)
          consumer.end()
        })
      },
    },
  }
}
