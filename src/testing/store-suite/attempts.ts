/**
 * Tries: each of the sender's is counted once, so that its last one is known to be the last.
 */
import { atOnce, type Bench, type StoreTest, type Worker } from './bench.js'
import { expectEqual } from './expect.js'

/** Tests of `attempt` and `released`. */
export const attempts: readonly StoreTest[] = [
  {
    name: 'each claim after a release is the next try, and says how many were released',
    async run({ workers, worker }) {
      const [{ key }] = workers() as [Worker]
      for (let attempt = 1; attempt <= 5; attempt++) {
        const claimer = worker(key)
        const claimed = { status: 'claimed', attempt, releasedAttempts: attempt - 1, completedHandlers: [] }
        expectEqual(await claimer.claim(), claimed, `try ${attempt}`)
        await claimer.release()
      }
    },
  },
  {
    name: 'a try that crashed is counted, and not counted as released',
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await pass(5)
      expectEqual(
        await ben.claim(),
        { status: 'claimed', attempt: 2, releasedAttempts: 0, completedHandlers: [] },
        'the second try',
      )
      await ben.release()
      expectEqual(
        await cleo.claim(),
        { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: [] },
        'the third try',
      )
    },
  },
  {
    name: 'a busy claim soon after the last counted try is a copy, and not counted',
    async run({ workers, pass, worker }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await pass(1)
      for (let copy = 0; copy < 3; copy++) expectEqual(await attemptsOf(worker(ada.key)), 1, 'tries counted')
    },
  },
  {
    name: 'a busy claim is counted once the gap between two tries is over',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(3)
      expectEqual(await attemptsOf(ben), 2, 'tries counted')
    },
  },
  {
    name: 'busy claims are counted one gap after the other',
    async run({ workers, pass, worker, leaseMs }) {
      const [ada] = workers() as [Worker]
      await ada.claim({ leaseMs: 10 * leaseMs })
      for (const expected of [2, 3, 4]) {
        await pass(3)
        expectEqual(await attemptsOf(worker(ada.key)), expected, 'tries counted')
        expectEqual(await attemptsOf(worker(ada.key)), expected, 'tries counted, asked again at once')
      }
    },
  },
  {
    name: 'of 50 busy claims at once one is counted',
    async run({ workers, pass, worker }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await pass(3)
      const counted = await atOnce(50, () => attemptsOf(worker(ada.key)))
      expectEqual([...new Set(counted)], [2], 'tries counted')
    },
  },
  {
    name: 'a try that was counted as busy is in the count of the next claim',
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await pass(3)
      await ben.claim()
      await ada.release()
      expectEqual(
        await cleo.claim(),
        { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: [] },
        'the third try',
      )
    },
  },
  {
    name: 'renewing and checkpointing count nothing',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      for (let beat = 0; beat < 3; beat++) {
        await pass(1)
        await ada.renew({ completedHandlers: [`step-${beat}`] })
      }
      await ada.release()
      const completedHandlers = ['step-0', 'step-1', 'step-2']
      expectEqual(
        await ben.claim(),
        { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers },
        'the second try',
      )
    },
  },
  {
    name: 'a renewal does not put off the next count of a busy claim',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await pass(2.5)
      await ada.renew()
      expectEqual(await attemptsOf(ben), 2, 'tries counted')
    },
  },
  {
    name: 'an uncounted release takes the try back',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      expectEqual(await ada.release({ counted: false }), true, 'the release')
      expectEqual(
        await ben.claim(),
        { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] },
        'the next claim',
      )
    },
  },
  {
    name: 'an uncounted release of a later try takes back that one only',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.release({ counted: false })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await cleo.claim(), claimed, 'the next claim')
    },
  },
  {
    name: 'a repeated claim counts nothing, however late',
    async run({ workers, pass }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await pass(3)
      expectEqual((await claimedBy(ada)).attempt, 1, 'its try')
    },
  },
  {
    name: 'each of two deliveries has its own count',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      const [ben] = workers() as [Worker]
      await ada.claim()
      await ada.release()
      expectEqual((await claimedBy(ada)).attempt, 2, 'the try of the first')
      expectEqual((await claimedBy(ben)).attempt, 1, 'the try of the second')
    },
  },
]

async function claimedBy(worker: Worker): Promise<{ readonly attempt: number }> {
  const response = await worker.claim()
  expectEqual(response.status, 'claimed', 'the claim')
  return response as { attempt: number }
}

/** How many tries a caller that finds the delivery busy is told of. */
async function attemptsOf(worker: Pick<Worker, 'claim'>): ReturnType<Bench['now']> {
  const response = await worker.claim()
  expectEqual(response.status, 'busy', 'the claim')
  return (response as { attempt: number }).attempt
}
