/**
 * Claiming: exactly one of many callers gets a delivery, and a claim that is repeated because its response was lost is the same claim.
 */
import { expectEqual, expectTrue } from './expect.js'
import { type Caller, concurrently, randomKey, type StoreTest, type TestContext } from './store-test.js'

const CALLERS = 1000

/** Tests of `claim` with many callers. */
export const claiming: readonly StoreTest[] = [
  {
    name: 'the first claim of a delivery is its first attempt',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
      expectEqual(
        await ada.claim(),
        { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] },
        'claim',
      )
    },
  },
  {
    name: 'a second claim is busy while the first one is held',
    async run({ callers, attemptGapMs }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      const { until, ...rest } = (await ben.claim({ attemptGapMs })) as { until: number }
      expectEqual(rest, { status: 'busy', attempt: 1 }, 'the second claim without `until`')
      expectTrue(Number.isSafeInteger(until) && until > 1e12, `until to be whole epoch milliseconds, got ${until}`)
    },
  },
  {
    name: 'a claim of a completed delivery returns only the status done',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.complete()
      expectEqual(await ben.claim(), { status: 'done' }, 'claim')
    },
  },
  {
    name: 'completing one delivery does not affect another',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
      const [ben] = callers() as [Caller]
      await ada.claim()
      await ada.complete()
      expectEqual((await ben.claim()).status, 'claimed', 'claim of another delivery')
    },
  },
  {
    name: 'deliveries are separate even if their keys differ only in the last digit',
    async run({ caller }) {
      const key = randomKey().slice(0, 63)
      await caller(`${key}0`).claim()
      expectEqual((await caller(`${key}1`).claim()).status, 'claimed', 'claim of the other key')
    },
  },
  {
    name: 'of 1,000 concurrent callers, exactly one claims a new delivery',
    async run(context) {
      await claimConcurrently(context, randomKey(), 1)
    },
  },
  {
    name: 'of 1,000 concurrent callers, exactly one claims a delivery whose lease has expired',
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      await context.pass(5)
      await claimConcurrently(context, ada.key, 2)
    },
  },
  {
    name: 'of 1,000 concurrent callers, exactly one claims a released delivery',
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      await ada.release()
      await claimConcurrently(context, ada.key, 2)
    },
  },
  {
    name: 'all of 1,000 concurrent callers get done for a completed delivery',
    async run({ callers, caller, store }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await ada.complete()
      const results = await concurrently(CALLERS, () => caller(ada.key, store).claim())
      expectEqual(new Set(results.map(({ status }) => status)).size, 1, 'different statuses')
      expectEqual(results[0], { status: 'done' }, 'each result')
    },
  },
  {
    name: 'all of 1,000 different deliveries are claimed concurrently',
    async run({ caller }) {
      const results = await concurrently(CALLERS, () => caller(randomKey()).claim())
      expectEqual(results.filter(({ status }) => status === 'claimed').length, CALLERS, 'claimed')
    },
  },
  {
    name: 'a claim repeated with its token is the same claim and the same attempt',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const first = await ada.claim()
      expectEqual(await ada.claim(), first, 'the repeated claim')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
    },
  },
  {
    name: 'a claim repeated with its token after many busy claims is the same claim',
    async run({ callers, caller }) {
      const [ada] = callers() as [Caller]
      const first = await ada.claim()
      await concurrently(20, () => caller(ada.key).claim())
      expectEqual(await ada.claim(), first, 'the repeated claim')
    },
  },
  {
    name: 'a claim repeated with its token keeps the checkpoints of earlier attempts',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim(), claimed, 'the claim')
      expectEqual(await ben.claim(), claimed, 'the repeated claim')
    },
  },
  {
    name: 'a claim sent twice concurrently with one token is one claim',
    async run({ callers, open, caller }) {
      const [ada] = callers() as [Caller]
      const other = caller(ada.key, await open())
      const results = await Promise.all([ada.claim(), other.claim({ token: ada.token })])
      const claimed = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(results, [claimed, claimed], 'both results')
    },
  },
  {
    name: 'a claim repeated with its token after the completion returns done',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await ada.complete()
      expectEqual(await ada.claim(), { status: 'done' }, 'the repeated claim')
    },
  },
  {
    name: 'a claim repeated with its token after the release is a new attempt',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
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
    name: 'a token can have 64 characters and is compared exactly',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const token = `${'~!"#$%&()*+,-./:;<=>?@[]^_`{|}'}${ada.token}`.slice(0, 64)
      await ada.claim({ token })
      expectEqual(await ada.complete({ token: token.toUpperCase() }), false, 'complete with the token in upper case')
      expectEqual((await ben.claim()).status, 'busy', 'another caller')
      expectEqual(await ada.complete({ token }), true, 'complete with the token')
    },
  },
]

/** Sends 1,000 claims with different tokens over four stores. Expects one to succeed as `attempt` and the others to be busy. */
async function claimConcurrently(context: TestContext, key: string, attempt: number): Promise<void> {
  const stores = [context.store, await context.open(), await context.open(), await context.open()]
  const results = await concurrently(CALLERS, (index) => context.caller(key, stores[index % stores.length]).claim())
  const claimed = results.filter(({ status }) => status === 'claimed')
  expectEqual(claimed.length, 1, 'claims of one delivery')
  expectEqual((claimed[0] as { attempt?: number }).attempt, attempt, 'its attempt')
  expectEqual(results.filter(({ status }) => status === 'busy').length, CALLERS - 1, 'busy claims')
}
