/**
 * Reprocessing: a quarantined delivery is done for the sender, and a person can process it again.
 */
import { expectEqual } from './expect.js'
import { type Caller, type Claimed, concurrently, type StoreTest } from './store-test.js'

/** Tests of `quarantined` and `reprocess`. */
export const reprocess: readonly StoreTest[] = [
  {
    name: 'a quarantined delivery is done for the sender',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      expectEqual(await ada.complete({ quarantined: true }), true, 'the completion')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim')
      expectEqual(await ben.claim({ reprocess: false }), { status: 'done' }, 'a claim with reprocess: false')
    },
  },
  {
    name: 'reprocessing claims a quarantined delivery with its attempts and checkpoints',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.complete({ quarantined: true, completedHandlers: ['mail'] })
      const { completedHandlers, ...rest } = (await cleo.claim({ reprocess: true })) as Claimed
      expectEqual(rest, { status: 'claimed', attempt: 3, releasedAttempts: 1 }, 'the claim')
      expectEqual([...completedHandlers].sort(), ['count', 'mail'], 'completed handlers')
    },
  },
  {
    name: 'reprocessing a completed delivery returns done',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.complete()
      expectEqual(await ben.claim({ reprocess: true }), { status: 'done' }, 'the reprocessing claim')
    },
  },
  {
    name: 'reprocessing claims absent and released deliveries',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const fresh = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(await ada.claim({ reprocess: true }), fresh, 'the claim of an absent delivery')
      await ada.release()
      expectEqual(
        await ben.claim({ reprocess: true }),
        { ...fresh, attempt: 2, releasedAttempts: 1 },
        'the next reprocessing claim',
      )
    },
  },
  {
    name: 'a completion after a completion into quarantine returns true and changes nothing',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.complete({ quarantined: true, completedHandlers: ['count'] })
      expectEqual(await ada.complete(), true, 'the second completion')
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 0, completedHandlers: ['count'] }
      expectEqual(await ben.claim({ reprocess: true }), claimed, 'a reprocessing claim')
    },
  },
  {
    name: 'reprocessing is busy while another caller has claimed the delivery',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      expectEqual((await ben.claim({ reprocess: true })).status, 'busy', 'the reprocessing claim')
    },
  },
  {
    name: 'of 100 concurrent reprocessing claims, exactly one succeeds',
    async run({ callers, caller }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      await ada.complete({ quarantined: true })
      const results = await concurrently(100, () => caller(ada.key).claim({ reprocess: true }))
      expectEqual(results.filter(({ status }) => status === 'claimed').length, 1, 'claimed')
      expectEqual(results.filter(({ status }) => status === 'busy').length, 99, 'busy')
    },
  },
  {
    name: 'a delivery that reprocessing completed cannot be reprocessed again',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual(await ben.complete(), true, 'the completion')
      expectEqual(await cleo.claim({ reprocess: true }), { status: 'done' }, 'another reprocessing claim')
    },
  },
  {
    name: 'a delivery that reprocessing quarantined again can be reprocessed again',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.complete({ quarantined: true, completedHandlers: ['count'] })
      await ben.claim({ reprocess: true })
      await ben.complete({ quarantined: true })
      expectEqual(await cleo.claim(), { status: 'done' }, 'the sender’s claim')
      const claimed = { status: 'claimed', attempt: 3, releasedAttempts: 0, completedHandlers: ['count'] }
      expectEqual(await cleo.claim({ reprocess: true }), claimed, 'the next reprocessing claim')
    },
  },
  {
    name: 'a delivery whose reprocessing crashed can be reprocessed after the lease expires',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual((await cleo.claim({ reprocess: true })).status, 'busy', 'a reprocessing claim during the lease')
      await pass(5)
      expectEqual((await cleo.claim({ reprocess: true })).status, 'claimed', 'a reprocessing claim after the lease')
    },
  },
  {
    name: 'the owner that quarantined a delivery cannot end its reprocessing by another caller',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual(
        [await ada.complete(), await ada.renew(), await ada.release()],
        [false, false, false],
        'its completion, renewal and release',
      )
      expectEqual((await cleo.claim({ reprocess: true })).status, 'busy', 'another reprocessing claim')
    },
  },
]
