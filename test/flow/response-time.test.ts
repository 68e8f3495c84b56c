/** Combines slow and hanging parts in every way: the response leaves within 4.5 s (acceptance case 182). */
import { expect, it } from 'vitest'
import { memoryStore, type Store } from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, pause, receiving } from '../support/receiving.js'
import { bodyAfter, respond } from '../support/respond.js'

type Slowness = number | 'never'

const takes = (clock: FixedClock, slowness: Slowness): Promise<void> =>
  slowness === 'never' ? new Promise(() => {}) : pause(clock, slowness)

interface Slow {
  readonly body: number
  readonly secret: Slowness
  readonly schema: Slowness
  readonly claim: Slowness
  readonly handler: Slowness
  readonly isFailing: boolean
  readonly complete: Slowness
  readonly quarantine: Slowness
}

function* everySlowness(): Iterable<Slow> {
  for (const body of [0, 2400])
    for (const secret of [0, 900, 'never'] as const)
      for (const schema of [0, 900, 'never'] as const)
        for (const claim of [0, 900, 'never'] as const)
          for (const handler of [0, 2000, 'never'] as const)
            for (const isFailing of [false, true])
              for (const complete of [0, 'never'] as const)
                for (const quarantine of [0, 900, 'never'] as const)
                  yield { body, secret, schema, claim, handler, isFailing, complete, quarantine }
}

async function responseMs(slow: Slow, ageMs: number): Promise<number> {
  const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
  const inner = memoryStore({ clock })
  const store: Store = {
    ...inner,
    claim: (request) => takes(clock, slow.claim).then(() => inner.claim(request)),
    complete: (request) => takes(clock, slow.complete).then(() => inner.complete(request)),
    release: (request) => takes(clock, slow.complete).then(() => inner.release(request)),
  }
  const { receiver } = receiving({
    clock,
    store,
    secret: () => takes(clock, slow.secret).then(() => 'your_webhook_secret'),
    quarantine: memoryQuarantine(() => takes(clock, slow.quarantine)),
    schemas: {
      'qr.scanned': {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value: unknown) => takes(clock, slow.schema).then(() => ({ value })),
        },
      },
    },
  })
  receiver.on('qr.scanned', async () => {
    await takes(clock, slow.handler)
    if (slow.isFailing) throw new Error('no database')
  })
  return (await respond(clock, receiver.receive(deliveryOf(scannedEvent(), bodyAfter(clock, slow.body))))).ms
}

it.each([
  ['a first attempt', 0],
  ['an attempt that is quarantined early', MINUTE],
  ['a last attempt', 50 * MINUTE],
])('%s gets its response within 4.5 s, whatever is slow', async (_, ageMs) => {
  const late: object[] = []
  let count = 0
  for (const slow of everySlowness()) {
    count++
    const ms = await responseMs(slow, ageMs)
    if (ms > 4500) late.push({ ...slow, ms })
  }
  expect([count, late]).toEqual([1944, []])
})
