/**
 * The lease: how long a claim holds, by the store's clock.
 */
import type { StoreTest, Worker } from './bench.js'
import { expectEqual, expectTrue } from './expect.js'

/** Tests of time while a delivery is being worked. */
export const lease: readonly StoreTest[] = [
  {
    name: 'a claim holds while its lease runs',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim within the lease')
    },
  },
  {
    name: 'a delivery is claimed again when its lease is over',
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await pass(5)
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after the lease')
      expectEqual((await cleo.claim()).status, 'busy', 'a third caller')
    },
  },
  {
    name: 'a renewal lets the lease run anew',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(3)
      expectEqual(await ada.renew(), true, 'the renewal')
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim within the renewed lease')
      await pass(2)
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after it')
    },
  },
  {
    name: 'a repeated claim lets the lease run anew',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(3)
      await ada.claim()
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim within the new lease')
    },
  },
  {
    name: 'a busy claim does not move the lease',
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await pass(3)
      await ben.claim()
      await pass(2)
      expectEqual((await cleo.claim()).status, 'claimed', 'a claim after the first lease')
    },
  },
  {
    name: 'an owner whose lease is over still owns what nobody else has claimed',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(5)
      expectEqual(await ada.renew(), true, 'the late renewal')
      expectEqual((await ben.claim()).status, 'busy', 'a claim after it')
      await pass(5)
      expectEqual(await ada.complete(), true, 'the late completion')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim after that')
    },
  },
  {
    name: 'a late release of what nobody else has claimed counts',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(5)
      expectEqual(await ada.release({ completedHandlers: ['count'] }), true, 'the late release')
      expectEqual(
        await ben.claim(),
        { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] },
        'a claim after it',
      )
    },
  },
  {
    name: 'a claim repeated after its lease is the same try, while nobody else has claimed',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const first = await ada.claim()
      await pass(5)
      expectEqual(await ada.claim(), first, 'the repeated claim')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
    },
  },
  {
    name: 'busy says when the lease ends',
    async run({ workers, leaseMs, unitMs }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      const first = (await ben.claim()) as { until: number }
      await ada.renew({ leaseMs: 10 * leaseMs })
      const second = (await ben.claim()) as { until: number }
      const later = second.until - first.until
      // What the calls themselves took comes on top.
      expectTrue(
        later >= 9 * leaseMs && later < 9 * leaseMs + unitMs + 2000,
        `a later end by 9 leases, not by ${later} ms`,
      )
    },
  },
  {
    name: 'a released delivery is claimed at once',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      expectEqual(await ada.release(), true, 'the release')
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after it')
    },
  },
  {
    name: 'a caller whose clock is ten minutes fast cannot take over a lease',
    needs: ['ownClock'],
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      const found = await withWrongClock(10, () => ben.claim())
      expectEqual(found.status, 'busy', 'the claim of the fast caller')
    },
  },
  {
    name: 'a caller whose clock is ten minutes slow cannot claim for longer or shorter',
    needs: ['ownClock'],
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await withWrongClock(-10, () => ada.claim())
      expectEqual((await ben.claim()).status, 'busy', 'a claim within the lease')
      await withWrongClock(10, () => ada.renew())
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim within the renewed lease')
      await pass(2)
      expectEqual((await cleo.claim()).status, 'claimed', 'a claim after it')
    },
  },
]

/** Runs a call in a process whose `Date.now` is wrong by so many minutes. */
async function withWrongClock<T>(minutes: number, call: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now() + minutes * 60_000
  try {
    return await call()
  } finally {
    Date.now = now
  }
}
