/**
 * Retention: the time that the store keeps a delivery, by the store's clock. It can grow, but never shrinks.
 */
import { expectEqual } from './expect.js'
import type { Caller, StoreTest, TestContext } from './store-test.js'

/** Tests of `retainUntil`. Most retain a delivery for 20 units and check it after 15 and 25 units. */
export const retention: readonly StoreTest[] = [
  {
    name: 'a completed delivery is kept until its retention expires',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const retainUntil = await after(context, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil })
      await context.pass(15)
      expectEqual(await ben.claim({ retainUntil }), { status: 'done' }, 'a claim during the retention')
    },
  },
  {
    name: 'a completed delivery is removed after its retention',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const retainUntil = await after(context, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil })
      await context.pass(25)
      expectEqual(await ben.claim(), FRESH, 'a claim after the retention')
    },
  },
  {
    name: 'a quarantined delivery is removed after its retention',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const retainUntil = await after(context, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil, quarantined: true, completedHandlers: ['count'] })
      await context.pass(15)
      expectEqual(await ben.claim({ retainUntil }), { status: 'done' }, 'a claim during the retention')
      await context.pass(10)
      expectEqual(await ben.claim(), FRESH, 'a claim after it')
    },
  },
  {
    name: 'a released delivery keeps its attempts until its retention expires',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const retainUntil = await after(context, 20)
      await ada.claim({ retainUntil })
      await ada.release({ completedHandlers: ['count'] })
      await context.pass(15)
      const kept = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim({ retainUntil }), kept, 'a claim during the retention')
    },
  },
  {
    name: 'a released delivery is removed after its retention',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim({ retainUntil: await after(context, 20) })
      await ada.release({ completedHandlers: ['count'] })
      await context.pass(25)
      expectEqual(await ben.claim(), FRESH, 'a claim after the retention')
    },
  },
  {
    name: 'a crashed attempt is counted until its retention expires',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const retainUntil = await after(context, 20)
      await ada.claim({ retainUntil })
      await context.pass(15)
      // Recalculated because `advance` may shift the records instead of the clock: the old value would then mean 20 units from now.
      const remaining = { retainUntil: await after(context, 5) }
      expectEqual(await ben.claim(remaining), { ...FRESH, attempt: 2 }, 'a claim during the retention')
      await context.pass(10)
      expectEqual(await ben.claim({ token: 'another' }), FRESH, 'a claim after it')
    },
  },
  {
    name: 'a claim whose retention has expired is held until its lease expires',
    async run(context) {
      const [ada, ben, cleo] = context.callers() as [Caller, Caller, Caller]
      const past = await after(context, -20)
      expectEqual(await ada.claim({ retainUntil: past }), FRESH, 'a claim with its retention in the past')
      expectEqual((await ben.claim({ retainUntil: past })).status, 'busy', 'another claim')
      await context.pass(3)
      expectEqual((await ben.claim({ retainUntil: past })).status, 'busy', 'another claim later in the lease')
      expectEqual(await ada.renew(), true, 'the owner’s renewal')
      await context.pass(3)
      expectEqual((await cleo.claim({ retainUntil: past })).status, 'busy', 'another claim in the renewed lease')
      expectEqual(await ada.complete(), true, 'the owner’s completion with a retention in the future')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim after it')
    },
  },
  ...neverShortened('a completion', (ada, retainUntil) => ada.complete({ retainUntil })),
  ...neverShortened('a completion into quarantine', (ada, retainUntil) =>
    ada.complete({ retainUntil, quarantined: true }),
  ),
  ...neverShortened('a repeated completion', async (ada, retainUntil) => {
    await ada.complete({ retainUntil: 0 })
    return ada.complete({ retainUntil })
  }),
  ...neverShortened('a repeated claim', async (ada, retainUntil) => {
    await ada.claim({ retainUntil })
    return ada.complete({ retainUntil: 0 })
  }),
  ...neverShortened('a later attempt', async (ada, retainUntil) => {
    await ada.release()
    await ada.claim({ retainUntil })
    return ada.complete({ retainUntil: 0 })
  }),
  {
    name: 'a completion can extend the retention',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim({ retainUntil: await after(context, 10) })
      await ada.complete({ retainUntil: await after(context, 20) })
      await context.pass(15)
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim between the two retentions')
    },
  },
  {
    name: 'a later attempt can extend the retention',
    async run(context) {
      const [ada, ben, cleo] = context.callers() as [Caller, Caller, Caller]
      await ada.claim({ retainUntil: await after(context, 10) })
      await ada.release()
      await ben.claim({ retainUntil: await after(context, 20) })
      await ben.release()
      await context.pass(15)
      expectEqual(
        (await cleo.claim()) as object,
        { ...FRESH, attempt: 3, releasedAttempts: 2 },
        'a claim between the two retentions',
      )
    },
  },
  {
    name: 'of 100 concurrent callers, exactly one claims a delivery whose retention has expired',
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim({ retainUntil: await after(context, 5) })
      await ada.complete({ retainUntil: 0 })
      await context.pass(10)
      const results = await Promise.all(Array.from({ length: 100 }, () => context.caller(ada.key).claim()))
      const claimed = results.filter(({ status }) => status === 'claimed')
      expectEqual(claimed, [FRESH], 'claims')
    },
  },
]

const FRESH = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] } as const

async function after(context: TestContext, units: number): Promise<number> {
  return (await context.now()) + units * context.unitMs
}

/** Claims with a retention of 20 units. `finish` completes with 5 units, and the delivery must still be kept for 20. */
function neverShortened(what: string, finish: (ada: Caller, retainUntil: number) => Promise<boolean>): StoreTest[] {
  return [
    {
      name: `${what} never shortens the retention`,
      async run(context) {
        const [ada, ben] = context.callers() as [Caller, Caller]
        await ada.claim({ retainUntil: await after(context, 20) })
        expectEqual(await finish(ada, await after(context, 5)), true, what)
        await context.pass(15)
        expectEqual(await ben.claim(), { status: 'done' }, 'a claim during the first retention')
      },
    },
  ]
}
