/**
 * Attempts: the store counts each of the sender's attempts once, so that the receiver recognizes the last one.
 */
import { expectEqual } from './expect.js'
import { type Caller, concurrently, type StoreTest } from './store-test.js'

/** Tests of `attempt` and `releasedAttempts`. */
export const attempts: readonly StoreTest[] = [
  {
    name: 'a claim after a release is the next attempt and returns the number of released attempts',
    async run({ callers, caller }) {
      const [{ key }] = callers() as [Caller]
      for (let attempt = 1; attempt <= 5; attempt++) {
        const claimer = caller(key)
        const claimed = { status: 'claimed', attempt, releasedAttempts: attempt - 1, completedHandlers: [] }
        expectEqual(await claimer.claim(), claimed, `attempt ${attempt}`)
        await claimer.release()
      }
    },
  },
  {
    name: 'a crashed attempt is counted, but not as released',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await pass(5)
      expectEqual(
        await ben.claim(),
        { status: 'claimed', attempt: 2, releasedAttempts: 0, completedHandlers: [] },
        'the second attempt',
      )
      await ben.release()
      expectEqual(
        await cleo.claim(),
        { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: [] },
        'the third attempt',
      )
    },
  },
  {
    name: 'a busy claim within attemptGapMs of the last counted attempt is not counted',
    async run({ callers, pass, caller }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await pass(1)
      for (let copy = 0; copy < 3; copy++) expectEqual(await attemptsOf(caller(ada.key)), 1, 'counted attempts')
    },
  },
  {
    name: 'a busy claim is counted as an attempt after attemptGapMs',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await pass(3)
      expectEqual(await attemptsOf(ben), 2, 'counted attempts')
    },
  },
  {
    name: 'busy claims are counted at most once per attemptGapMs',
    async run({ callers, pass, caller, leaseMs }) {
      const [ada] = callers() as [Caller]
      await ada.claim({ leaseMs: 10 * leaseMs })
      for (const expected of [2, 3, 4]) {
        await pass(3)
        expectEqual(await attemptsOf(caller(ada.key)), expected, 'counted attempts')
        expectEqual(await attemptsOf(caller(ada.key)), expected, 'counted attempts after an immediate second claim')
      }
    },
  },
  {
    name: 'of 50 concurrent busy claims, exactly one is counted',
    async run({ callers, pass, caller }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await pass(3)
      const counted = await concurrently(50, () => attemptsOf(caller(ada.key)))
      expectEqual([...new Set(counted)], [2], 'counted attempts')
    },
  },
  {
    name: 'the next claim includes attempts that were counted as busy',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await pass(3)
      await ben.claim()
      await ada.release()
      expectEqual(
        await cleo.claim(),
        { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: [] },
        'the third attempt',
      )
    },
  },
  {
    name: 'renewals and checkpoints are not counted as attempts',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
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
        'the second attempt',
      )
    },
  },
  {
    name: 'a renewal does not delay the counting of busy claims',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await pass(2.5)
      await ada.renew()
      expectEqual(await attemptsOf(ben), 2, 'counted attempts')
    },
  },
  {
    name: 'an uncounted release undoes its attempt',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
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
    name: 'an uncounted release of a later attempt undoes only that attempt',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.release({ counted: false })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await cleo.claim(), claimed, 'the next claim')
    },
  },
  {
    name: 'a claim repeated with its token is not counted, even after attemptGapMs',
    async run({ callers, pass }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await pass(3)
      expectEqual((await claimedBy(ada)).attempt, 1, 'its attempt')
    },
  },
  {
    name: 'two deliveries have separate attempt counts',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
      const [ben] = callers() as [Caller]
      await ada.claim()
      await ada.release()
      expectEqual((await claimedBy(ada)).attempt, 2, 'the attempt of the first delivery')
      expectEqual((await claimedBy(ben)).attempt, 1, 'the attempt of the second delivery')
    },
  },
]

async function claimedBy(caller: Caller): Promise<{ readonly attempt: number }> {
  const result = await caller.claim()
  expectEqual(result.status, 'claimed', 'the claim')
  return result as { attempt: number }
}

/** Returns the number of attempts that a busy claim reports. */
async function attemptsOf(caller: Caller): Promise<number> {
  const result = await caller.claim()
  expectEqual(result.status, 'busy', 'the claim')
  return (result as { attempt: number }).attempt
}
