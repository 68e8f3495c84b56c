/**
 * Retention: how long a delivery is remembered, by the store's clock; what was promised once is never taken back.
 */
import type { Bench, StoreTest, Worker } from './bench.js'
import { expectEqual } from './expect.js'

/** Tests of what is remembered. Each keeps a delivery until 20 units from now, and looks 15 and 25 units later. */
export const retention: readonly StoreTest[] = [
  {
    name: 'a finished delivery is remembered until its retention is over',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const retainUntil = await after(bench, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil })
      await bench.pass(15)
      expectEqual(await ben.claim({ retainUntil }), { status: 'done' }, 'a claim within the retention')
    },
  },
  {
    name: 'a finished delivery is forgotten after its retention',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const retainUntil = await after(bench, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil })
      await bench.pass(25)
      expectEqual(await ben.claim(), FRESH, 'a claim after the retention')
    },
  },
  {
    name: 'a quarantined delivery is forgotten after its retention',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const retainUntil = await after(bench, 20)
      await ada.claim({ retainUntil })
      await ada.complete({ retainUntil, quarantined: true, completedHandlers: ['count'] })
      await bench.pass(15)
      expectEqual(await ben.claim({ retainUntil }), { status: 'done' }, 'a claim within the retention')
      await bench.pass(10)
      expectEqual(await ben.claim(), FRESH, 'a claim after it')
    },
  },
  {
    name: 'a released delivery keeps its tries until its retention is over',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const retainUntil = await after(bench, 20)
      await ada.claim({ retainUntil })
      await ada.release({ completedHandlers: ['count'] })
      await bench.pass(15)
      const kept = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim({ retainUntil }), kept, 'a claim within the retention')
    },
  },
  {
    name: 'a released delivery is forgotten after its retention',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim({ retainUntil: await after(bench, 20) })
      await ada.release({ completedHandlers: ['count'] })
      await bench.pass(25)
      expectEqual(await ben.claim(), FRESH, 'a claim after the retention')
    },
  },
  {
    name: 'a crashed try is counted until the retention is over, and forgotten after it',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const retainUntil = await after(bench, 20)
      await ada.claim({ retainUntil })
      await bench.pass(15)
      // Named anew: a driver whose `advance` moves the records instead of the clock would take it for 20 units from here.
      const rest = { retainUntil: await after(bench, 5) }
      expectEqual(await ben.claim(rest), { ...FRESH, attempt: 2 }, 'a claim within the retention')
      await bench.pass(10)
      expectEqual(await ben.claim({ token: 'another' }), FRESH, 'a claim after it')
    },
  },
  {
    name: 'a claim whose retention is over holds until its lease is',
    async run(bench) {
      const [ada, ben, cleo] = bench.workers() as [Worker, Worker, Worker]
      const past = await after(bench, -20)
      expectEqual(await ada.claim({ retainUntil: past }), FRESH, 'a claim with its retention in the past')
      expectEqual((await ben.claim({ retainUntil: past })).status, 'busy', 'another claim')
      await bench.pass(3)
      expectEqual((await ben.claim({ retainUntil: past })).status, 'busy', 'another claim, later in the lease')
      expectEqual(await ada.renew(), true, 'the owner’s renewal')
      await bench.pass(3)
      expectEqual((await cleo.claim({ retainUntil: past })).status, 'busy', 'another claim, in the renewed lease')
      expectEqual(await ada.complete(), true, 'the owner’s completion, with a retention to come')
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
  ...neverShortened('a later try', async (ada, retainUntil) => {
    await ada.release()
    await ada.claim({ retainUntil })
    return ada.complete({ retainUntil: 0 })
  }),
  {
    name: 'a later retention given by a completion counts',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim({ retainUntil: await after(bench, 10) })
      await ada.complete({ retainUntil: await after(bench, 20) })
      await bench.pass(15)
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim between the two')
    },
  },
  {
    name: 'a later retention given by a later try counts',
    async run(bench) {
      const [ada, ben, cleo] = bench.workers() as [Worker, Worker, Worker]
      await ada.claim({ retainUntil: await after(bench, 10) })
      await ada.release()
      await ben.claim({ retainUntil: await after(bench, 20) })
      await ben.release()
      await bench.pass(15)
      expectEqual(
        (await cleo.claim()) as object,
        { ...FRESH, attempt: 3, releasedAttempts: 2 },
        'a claim between the two',
      )
    },
  },
  {
    name: 'a delivery forgotten by one is new to 100 callers at once, of whom one claims it',
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim({ retainUntil: await after(bench, 5) })
      await ada.complete({ retainUntil: 0 })
      await bench.pass(10)
      const responses = await Promise.all(Array.from({ length: 100 }, () => bench.worker(ada.key).claim()))
      const claimed = responses.filter(({ status }) => status === 'claimed')
      expectEqual(claimed, [FRESH], 'claims')
    },
  },
]

const FRESH = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] } as const

async function after(bench: Bench, units: number): Promise<number> {
  return (await bench.now()) + units * bench.unitMs
}

/** After a claim that promised 20 units, `finish` names 5 and finishes: the delivery is remembered for 20. */
function neverShortened(what: string, finish: (ada: Worker, retainUntil: number) => Promise<boolean>): StoreTest[] {
  return [
    {
      name: `${what} never shortens the retention`,
      async run(bench) {
        const [ada, ben] = bench.workers() as [Worker, Worker]
        await ada.claim({ retainUntil: await after(bench, 20) })
        expectEqual(await finish(ada, await after(bench, 5)), true, what)
        await bench.pass(15)
        expectEqual(await ben.claim(), { status: 'done' }, 'a claim within the first retention')
      },
    },
  ]
}
