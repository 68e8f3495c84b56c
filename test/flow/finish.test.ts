/** How an attempt ends when another process has claimed its delivery: it changes neither the record nor the quarantine. */
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, receiving, SECOND } from '../support/receiving.js'

/** From this age on, an unfinished delivery is quarantined early. */
const KEPT_EARLY_AGE = 45 * SECOND

/**
 * Two processes share a store and a quarantine. The first one claims a delivery and loses it, because its heartbeats fail for longer than a
 * lease. The second one processes the delivery, and its handler fails.
 */
async function loseClaim() {
  const clock = fixedClock(Date.parse(EVENT_TIME) + KEPT_EARLY_AGE)
  const store = memoryStore({ clock })
  const frozen = faultyStore(store)
  const quarantine = memoryQuarantine()
  const handling = deferred()
  const first = receiving({ clock, store: frozen, quarantine })
  first.receiver.on('qr.scanned', () => handling.promise)
  frozen.fail('renew', 'rejects')
  await first.attempt()
  await clock.advance(MINUTE)
  const second = receiving({ clock, store, quarantine })
  second.receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
  await second.attempt()
  return { clock, store, quarantine, handling, first, second }
}

describe('an attempt that succeeds after the response', () => {
  it('leaves the quarantine entry when its claim was lost', async () => {
    const { clock, quarantine, handling, first, second } = await loseClaim()
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'retry_pending', error: /no database/ }])
    handling.resolve()
    await clock.advance(SECOND)
    expect(first.reported('lease_lost')).toBe(1)
    expect([...quarantine.entries.values()]).toMatchObject([{ code: 'retry_pending' }])
    expect(clock.pendingTimers()).toBe(0)
    expect((await second.attempt()).outcome).toMatchObject({ status: 'failed', attempt: 3 })
  })
})
