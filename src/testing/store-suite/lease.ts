/**
 * The lease: the time that a claim is held, by the store's clock.
 */
import { expectEqual, expectTrue } from './expect.js'
import type { Caller, StoreTest } from './store-test.js'

/** Tests of `leaseMs` and `renew`. */
export const lease: readonly StoreTest[] = [
  {
    name: 'a claim is held until its lease expires',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim during the lease')
    },
  },
  {
    name: 'a delivery can be claimed again after its lease expires',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await pass(5)
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after the lease')
      expectEqual((await cleo.claim()).status, 'busy', 'a third caller')
    },
  },
  {
    name: 'a renewal restarts the lease',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await pass(3)
      expectEqual(await ada.renew(), true, 'the renewal')
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim during the renewed lease')
      await pass(2)
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after it')
    },
  },
  {
    name: 'a claim repeated with its token restarts the lease',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await pass(3)
      await ada.claim()
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim during the new lease')
    },
  },
  {
    name: 'a busy claim does not change the lease',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await pass(3)
      await ben.claim()
      await pass(2)
      expectEqual((await cleo.claim()).status, 'claimed', 'a claim after the first lease')
    },
  },
  {
    name: 'an owner whose lease has expired keeps its claim until another caller claims',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
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
    name: 'a release after the lease has expired succeeds if no other caller has claimed',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
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
    name: 'a claim repeated after its lease has expired is the same attempt if no other caller has claimed',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const first = await ada.claim()
      await pass(5)
      expectEqual(await ada.claim(), first, 'the repeated claim')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
    },
  },
  {
    name: 'a busy claim returns the end of the lease',
    async run({ callers, leaseMs, unitMs }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      const first = (await ben.claim()) as { until: number }
      await ada.renew({ leaseMs: 10 * leaseMs })
      const second = (await ben.claim()) as { until: number }
      const later = second.until - first.until
      // The calls themselves take time as well.
      expectTrue(
        later >= 9 * leaseMs && later < 9 * leaseMs + unitMs + 2000,
        `the lease to end 9 leases later, got ${later} ms`,
      )
    },
  },
  {
    name: 'a released delivery can be claimed immediately',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      expectEqual(await ada.release(), true, 'the release')
      expectEqual((await ben.claim()).status, 'claimed', 'a claim after it')
    },
  },
  {
    name: 'a caller whose clock is ten minutes fast cannot take over a lease',
    needs: ['ownClock'],
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      const found = await withWrongClock(10, () => ben.claim())
      expectEqual(found.status, 'busy', 'the claim of the caller with the fast clock')
    },
  },
  {
    name: 'a caller whose clock is ten minutes off gets a lease of the normal length',
    needs: ['ownClock'],
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await withWrongClock(-10, () => ada.claim())
      expectEqual((await ben.claim()).status, 'busy', 'a claim during the lease')
      await withWrongClock(10, () => ada.renew())
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'a claim during the renewed lease')
      await pass(2)
      expectEqual((await cleo.claim()).status, 'claimed', 'a claim after it')
    },
  },
]

/** Runs a call while this process's `Date.now` is off by `minutes`. */
async function withWrongClock<T>(minutes: number, call: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now() + minutes * 60_000
  try {
    return await call()
  } finally {
    Date.now = now
  }
}
