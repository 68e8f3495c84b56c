/**
 * Claiming: of any number of callers exactly one works a delivery, and a claim whose answer was lost is the same claim.
 */
import { atOnce, type Bench, randomKey, type StoreTest, type Worker } from './bench.js'
import { expectEqual, expectTrue } from './expect.js'

const CALLERS = 1000

/** Tests of `claim` among many. */
export const claiming: readonly StoreTest[] = [
  {
    name: 'a delivery nobody has claimed is claimed as its first try',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      expectEqual(
        await ada.claim(),
        { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] },
        'claim',
      )
    },
  },
  {
    name: 'a second claim is busy while the first holds',
    async run({ workers, attemptGapMs }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      const { until, ...rest } = (await ben.claim({ attemptGapMs })) as { until: number }
      expectEqual(rest, { status: 'busy', attempt: 1 }, 'the second claim, its `until` aside')
      expectTrue(Number.isSafeInteger(until) && until > 1e12, `until in whole epoch milliseconds, not ${until}`)
    },
  },
  {
    name: 'a claim of a finished delivery is done, and nothing else is said',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.complete()
      expectEqual(await ben.claim(), { status: 'done' }, 'claim')
    },
  },
  {
    name: 'two deliveries do not meet',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      const [ben] = workers() as [Worker]
      await ada.claim()
      await ada.complete()
      expectEqual((await ben.claim()).status, 'claimed', 'claim of another delivery')
    },
  },
  {
    name: 'deliveries whose keys differ in the last digit only do not meet',
    async run({ worker }) {
      const key = randomKey().slice(0, 63)
      await worker(`${key}0`).claim()
      expectEqual((await worker(`${key}1`).claim()).status, 'claimed', 'claim of the other key')
    },
  },
  {
    name: 'of 1,000 callers at once exactly one claims a new delivery',
    async run(bench) {
      await claimAtOnce(bench, randomKey(), 1)
    },
  },
  {
    name: 'of 1,000 callers at once exactly one claims a delivery whose lease is over',
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      await bench.pass(5)
      await claimAtOnce(bench, ada.key, 2)
    },
  },
  {
    name: 'of 1,000 callers at once exactly one claims a released delivery',
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      await ada.release()
      await claimAtOnce(bench, ada.key, 2)
    },
  },
  {
    name: '1,000 callers at once find a finished delivery done',
    async run({ workers, worker, store }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await ada.complete()
      const responses = await atOnce(CALLERS, () => worker(ada.key, store).claim())
      expectEqual(new Set(responses.map(({ status }) => status)).size, 1, 'kinds of answers')
      expectEqual(responses[0], { status: 'done' }, 'each answer')
    },
  },
  {
    name: '1,000 different deliveries at once are all claimed',
    async run({ worker }) {
      const responses = await atOnce(CALLERS, () => worker(randomKey()).claim())
      expectEqual(responses.filter(({ status }) => status === 'claimed').length, CALLERS, 'claimed')
    },
  },
  {
    name: 'a claim repeated with its token is the same claim and the same try',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const first = await ada.claim()
      expectEqual(await ada.claim(), first, 'the repeated claim')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
    },
  },
  {
    name: 'a claim repeated with its token after many others is the same claim',
    async run({ workers, worker }) {
      const [ada] = workers() as [Worker]
      const first = await ada.claim()
      await atOnce(20, () => worker(ada.key).claim())
      expectEqual(await ada.claim(), first, 'the repeated claim')
    },
  },
  {
    name: 'a repeated claim keeps what earlier tries finished',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim(), claimed, 'the claim')
      expectEqual(await ben.claim(), claimed, 'the repeated claim')
    },
  },
  {
    name: 'a claim sent twice at once with one token is one claim',
    async run({ workers, open, worker }) {
      const [ada] = workers() as [Worker]
      const other = worker(ada.key, await open())
      const responses = await Promise.all([ada.claim(), other.claim({ token: ada.token })])
      const claimed = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(responses, [claimed, claimed], 'both answers')
    },
  },
  {
    name: 'a claim repeated with its token after the completion is done',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await ada.complete()
      expectEqual(await ada.claim(), { status: 'done' }, 'the repeated claim')
    },
  },
  {
    name: 'a claim repeated with its token after the release is a new try',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await ada.release()
      expectEqual(
        await ada.claim(),
        { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: [] },
        'the claim',
      )
    },
  },
  {
    name: 'a token of 64 characters holds',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const token = `${'~!"#$%&()*+,-./:;<=>?@[]^_`{|}'}${ada.token}`.slice(0, 64)
      await ada.claim({ token })
      expectEqual(await ada.complete({ token: token.toUpperCase() }), false, 'complete with the token in upper case')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
      expectEqual(await ada.complete({ token }), true, 'complete with the token')
    },
  },
]

/** 1,000 claims over four stores, each with its own token: one is claimed as `attempt`, the others are busy. */
async function claimAtOnce(bench: Bench, key: string, attempt: number): Promise<void> {
  const stores = [bench.store, await bench.open(), await bench.open(), await bench.open()]
  const responses = await atOnce(CALLERS, (index) => bench.worker(key, stores[index % stores.length]).claim())
  const claimed = responses.filter(({ status }) => status === 'claimed')
  expectEqual(claimed.length, 1, 'claims of one delivery')
  expectEqual((claimed[0] as { attempt?: number }).attempt, attempt, 'its try')
  expectEqual(responses.filter(({ status }) => status === 'busy').length, CALLERS - 1, 'busy answers')
}
