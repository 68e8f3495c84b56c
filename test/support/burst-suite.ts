/** A share of `npm run bench -- burst` with counts instead of times: thousands of deliveries at once all get 200, and each is handled once. */
import { expect, test, vi } from 'vitest'
import { createReceiver, type Inbox, type Store, toResponse } from '../../src/index.js'
import { type FixedClock, fixedClock, signDelivery } from '../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const COUNT = 5000

/** The store, or the store and the inbox, of a burst. */
export interface BurstSetup {
  readonly store: Store<never>
  readonly inbox?: Inbox
  /** Called after the receiver has closed. */
  end?(): unknown
}

/** Registers the test. The clock stands still, so only the driver's own limits use real time. */
export function burstSuite(name: string, open: (clock: FixedClock) => BurstSetup | Promise<BurstSetup>): void {
  test(`${COUNT.toLocaleString('en')} deliveries at once all get 200 and are handled once each: ${name}`, async () => {
    const clock = fixedClock()
    const { end, ...setup } = await open(clock)
    const handled = new Map<unknown, number>()
    const reports: unknown[] = []
    const onError = (report: unknown) => void reports.push(report)
    const receiver = createReceiver({ secret: SECRET, clock, onError, ...setup }).on('qr.created', (event) => {
      handled.set(event.data.id, (handled.get(event.data.id) ?? 0) + 1)
    })
    const deliveries = await signMany()
    await clock.advance(0)
    const outcomes = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
    expect(reports).toEqual([])
    expect(new Set(outcomes.map((outcome) => toResponse(outcome).status))).toEqual(new Set([200]))
    await vi.waitFor(() => expect(handled.size).toBe(COUNT), { timeout: 60_000 })
    const again = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([setup.inbox ? 'accepted' : 'duplicate']))
    await receiver.close()
    expect(new Set(handled.values())).toEqual(new Set([1]))
    await end?.()
  })
}

async function signMany() {
  const timestamp = new Date(Date.now() - 1000).toISOString()
  return Promise.all(
    Array.from({ length: COUNT }, async (_, index) => {
      const payload = { event: 'qr.created', timestamp, data: { id: `qr-${index}` } }
      return (await signDelivery(payload, { secret: SECRET })).delivery
    }),
  )
}
