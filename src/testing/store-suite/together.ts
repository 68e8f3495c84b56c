/**
 * Everything together: other processes, other namespaces, a restart, and all operations at once.
 */
import { atOnce, type Bench, randomKey, type StoreTest, type Worker } from './bench.js'
import { expectEqual, expectTrue } from './expect.js'

/** Tests over several stores, and of a mix of all operations. */
export const together: readonly StoreTest[] = [
  {
    name: 'what one process claims, renews, releases and finishes, another sees',
    async run({ workers, open, worker }) {
      const [ada] = workers() as [Worker]
      const other = await open()
      const ben = worker(ada.key, other)
      await ada.claim()
      expectEqual((await ben.claim()).status, 'busy', 'while it is claimed')
      await ada.release({ completedHandlers: ['count'] })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim(), claimed, 'after the release')
      expectEqual(await ada.complete(), false, 'the completion of the one that released')
      await ben.complete()
      expectEqual(await ada.claim(), { status: 'done' }, 'after the completion')
    },
  },
  {
    name: 'two namespaces do not meet',
    async run({ workers, open, worker }) {
      const [ada] = workers() as [Worker]
      const elsewhere = worker(ada.key, await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` }))
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      const fresh = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(await elsewhere.claim(), fresh, 'a claim of the same key elsewhere')
      await elsewhere.complete()
      expectEqual((await ada.claim()).status, 'claimed', 'a claim here after the completion elsewhere')
      expectEqual(await elsewhere.claim(), { status: 'done' }, 'a claim elsewhere')
    },
  },
  {
    name: 'a token of one namespace is nothing in another',
    async run({ workers, open, worker }) {
      const [ada] = workers() as [Worker]
      const elsewhere = worker(ada.key, await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` }))
      await ada.claim()
      await elsewhere.claim()
      expectEqual(await elsewhere.complete({ token: ada.token }), false, 'a completion elsewhere')
      expectEqual(await elsewhere.release({ token: ada.token }), false, 'a release elsewhere')
      expectEqual(await elsewhere.renew({ token: ada.token }), false, 'a renewal elsewhere')
    },
  },
  {
    name: 'ten stores opened at once on a new namespace all work',
    async run({ open, worker }) {
      const namespace = `opened-${randomKey().slice(0, 16)}`
      const key = randomKey()
      const responses = await atOnce(10, async () => worker(key, await open({ namespace })).claim())
      expectEqual(responses.filter(({ status }) => status === 'claimed').length, 1, 'claimed')
    },
  },
  {
    name: 'a finished delivery is done after a restart',
    needs: ['durable'],
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      await ada.complete()
      expectEqual(await (await reopened(bench, ada.key)).claim(), { status: 'done' }, 'a claim')
    },
  },
  {
    name: 'a claim holds over a restart, and its owner still owns it',
    needs: ['durable'],
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      const later = await reopened(bench, ada.key)
      expectEqual((await later.claim()).status, 'busy', 'a claim of another')
      expectEqual(await later.complete({ token: ada.token }), true, 'the completion')
    },
  },
  {
    name: 'tries, checkpoints and quarantine are known after a restart',
    needs: ['durable'],
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      const second = await reopened(bench, ada.key)
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await second.claim(), claimed, 'the next try')
      await second.complete({ quarantined: true })
      const third = bench.worker(ada.key, await bench.open())
      expectEqual(await third.claim(), { status: 'done' }, 'the sender’s claim')
      expectEqual(await third.claim({ reprocess: true }), { ...claimed, attempt: 3 }, 'the rework')
    },
  },
  {
    name: 'in a mix of all operations at once nobody works what another holds, and no try is counted twice',
    async run(bench) {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const keys = Array.from({ length: 8 }, randomKey)
      const logs = new Map(keys.map((key) => [key, createLog()]))
      await atOnce(40, async (index) => {
        for (let step = 0; step < 8; step++) {
          const key = keys[(index + step) % keys.length] as string
          await workOnce(bench.worker(key, stores[index % stores.length]), logs.get(key) as Log, index + step)
        }
      })
      for (const [key, log] of logs) {
        expectEqual(log.overlaps, 0, 'workers that held a delivery together')
        expectEqual(
          log.attempts,
          log.attempts.map((_, index) => index + 1),
          'tries, in the order they were claimed',
        )
        expectEqual(log.refused, 0, 'owners that were told they had lost their claim')
        expectEqual(
          (await bench.worker(key).claim()).status,
          log.finished ? 'done' : 'claimed',
          'the delivery at the end',
        )
      }
    },
  },
]

async function reopened(bench: Bench, key: string): Promise<Worker> {
  await bench.close(bench.store)
  return bench.worker(key, await bench.open())
}

interface Log {
  holders: number
  overlaps: number
  refused: number
  finished: boolean
  readonly attempts: number[]
}

function createLog(): Log {
  return { holders: 0, overlaps: 0, refused: 0, finished: false, attempts: [] }
}

/** Claims, holds the delivery for a turn, and ends the try in one of three ways. */
async function workOnce(worker: Worker, log: Log, chance: number): Promise<void> {
  const response = await worker.claim({ attemptGapMs: Number.MAX_SAFE_INTEGER })
  if (response.status !== 'claimed') return
  expectTrue(!log.finished, 'no claim of a finished delivery')
  log.holders++
  if (log.holders > 1) log.overlaps++
  log.attempts.push(response.attempt)
  const renewed = await worker.renew()
  const finish = chance % 11 === 10
  // Given up before the store is told: from then on another may hold it.
  log.holders--
  if (finish) log.finished = true
  const ended = await (finish ? worker.complete() : worker.release())
  if (!renewed || !ended) log.refused++
}
