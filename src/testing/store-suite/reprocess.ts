/**
 * Rework: a delivery that went into quarantine is finished for the sender, and can be worked again by hand.
 */
import { atOnce, type Claimed, type StoreTest, type Worker } from './bench.js'
import { expectEqual } from './expect.js'

/** Tests of `quarantined` and `rework`. */
export const reprocess: readonly StoreTest[] = [
  {
    name: 'a quarantined delivery is done for the sender',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      expectEqual(await ada.complete({ quarantined: true }), true, 'the completion')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim')
      expectEqual(await ben.claim({ reprocess: false }), { status: 'done' }, 'a claim that says it is no rework')
    },
  },
  {
    name: 'a quarantined delivery is claimed by a rework, with its tries and checkpoints',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.complete({ quarantined: true, completedHandlers: ['mail'] })
      const { completedHandlers, ...rest } = (await cleo.claim({ reprocess: true })) as Claimed
      expectEqual(rest, { status: 'claimed', attempt: 3, releasedAttempts: 1 }, 'the claim')
      expectEqual([...completedHandlers].sort(), ['count', 'mail'], 'handlers done')
    },
  },
  {
    name: 'a delivery that is finished for good is done for a rework too',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.complete()
      expectEqual(await ben.claim({ reprocess: true }), { status: 'done' }, 'the rework')
    },
  },
  {
    name: 'a rework claims what is not there, and what was released',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const fresh = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(await ada.claim({ reprocess: true }), fresh, 'the rework of a new delivery')
      await ada.release()
      expectEqual(
        await ben.claim({ reprocess: true }),
        { ...fresh, attempt: 2, releasedAttempts: 1 },
        'the next rework',
      )
    },
  },
  {
    name: 'a completion after one into quarantine is true and changes nothing',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.complete({ quarantined: true, completedHandlers: ['count'] })
      expectEqual(await ada.complete(), true, 'the other completion')
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 0, completedHandlers: ['count'] }
      expectEqual(await ben.claim({ reprocess: true }), claimed, 'a rework')
    },
  },
  {
    name: 'a rework is busy while another works the delivery',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      expectEqual((await ben.claim({ reprocess: true })).status, 'busy', 'the rework')
    },
  },
  {
    name: 'of 100 reworks at once exactly one claims',
    async run({ workers, worker }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      await ada.complete({ quarantined: true })
      const responses = await atOnce(100, () => worker(ada.key).claim({ reprocess: true }))
      expectEqual(responses.filter(({ status }) => status === 'claimed').length, 1, 'claimed')
      expectEqual(responses.filter(({ status }) => status === 'busy').length, 99, 'busy')
    },
  },
  {
    name: 'a rework that completes finishes the delivery for good',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual(await ben.complete(), true, 'the completion')
      expectEqual(await cleo.claim({ reprocess: true }), { status: 'done' }, 'another rework')
    },
  },
  {
    name: 'a rework that goes into quarantine again can be reworked again',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.complete({ quarantined: true, completedHandlers: ['count'] })
      await ben.claim({ reprocess: true })
      await ben.complete({ quarantined: true })
      expectEqual(await cleo.claim(), { status: 'done' }, 'the sender’s claim')
      const claimed = { status: 'claimed', attempt: 3, releasedAttempts: 0, completedHandlers: ['count'] }
      expectEqual(await cleo.claim({ reprocess: true }), claimed, 'the next rework')
    },
  },
  {
    name: 'a rework that crashed is claimed again when its lease is over',
    async run({ workers, pass }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual((await cleo.claim({ reprocess: true })).status, 'busy', 'a rework meanwhile')
      await pass(5)
      expectEqual((await cleo.claim({ reprocess: true })).status, 'claimed', 'a rework after the lease')
    },
  },
  {
    name: 'the owner who quarantined cannot end the rework of another',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.complete({ quarantined: true })
      await ben.claim({ reprocess: true })
      expectEqual(
        [await ada.complete(), await ada.renew(), await ada.release()],
        [false, false, false],
        'what it tries',
      )
      expectEqual((await cleo.claim({ reprocess: true })).status, 'busy', 'another rework')
    },
  },
]
