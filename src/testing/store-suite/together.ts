/**
 * Everything together: other processes, other namespaces, restarts and concurrent operations of all kinds.
 */
import { expectEqual, expectTrue } from './expect.js'
import { type Caller, concurrently, randomKey, type StoreTest, type TestContext } from './store-test.js'

/** Tests with several stores and with all operations. */
export const together: readonly StoreTest[] = [
  {
    name: 'one process sees the claims, releases and completions of another',
    async run({ callers, open, caller }) {
      const [ada] = callers() as [Caller]
      const other = await open()
      const ben = caller(ada.key, other)
      await ada.claim()
      expectEqual((await ben.claim()).status, 'busy', 'a claim while the delivery is claimed')
      await ada.release({ completedHandlers: ['count'] })
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await ben.claim(), claimed, 'a claim after the release')
      expectEqual(await ada.complete(), false, 'the completion after its own release')
      await ben.complete()
      expectEqual(await ada.claim(), { status: 'done' }, 'a claim after the completion')
    },
  },
  {
    name: 'two namespaces have separate deliveries',
    async run({ callers, open, caller }) {
      const [ada] = callers() as [Caller]
      const elsewhere = caller(ada.key, await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` }))
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
    name: 'a token of one namespace has no effect in another',
    async run({ callers, open, caller }) {
      const [ada] = callers() as [Caller]
      const elsewhere = caller(ada.key, await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` }))
      await ada.claim()
      await elsewhere.claim()
      expectEqual(await elsewhere.complete({ token: ada.token }), false, 'a completion elsewhere')
      expectEqual(await elsewhere.release({ token: ada.token }), false, 'a release elsewhere')
      expectEqual(await elsewhere.renew({ token: ada.token }), false, 'a renewal elsewhere')
    },
  },
  {
    name: 'ten stores can open a new namespace concurrently',
    async run({ open, caller }) {
      const namespace = `opened-${randomKey().slice(0, 16)}`
      const key = randomKey()
      const results = await concurrently(10, async () => caller(key, await open({ namespace })).claim())
      expectEqual(results.filter(({ status }) => status === 'claimed').length, 1, 'claimed')
    },
  },
  {
    name: 'a completed delivery is done after a restart',
    needs: ['durable'],
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      await ada.complete()
      expectEqual(await (await reopened(context, ada.key)).claim(), { status: 'done' }, 'a claim')
    },
  },
  {
    name: 'a claim survives a restart and still belongs to its owner',
    needs: ['durable'],
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      const later = await reopened(context, ada.key)
      expectEqual((await later.claim()).status, 'busy', 'a claim of another caller')
      expectEqual(await later.complete({ token: ada.token }), true, 'the completion')
    },
  },
  {
    name: 'attempts, checkpoints and the quarantined state survive a restart',
    needs: ['durable'],
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      const second = await reopened(context, ada.key)
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] }
      expectEqual(await second.claim(), claimed, 'the next attempt')
      await second.complete({ quarantined: true })
      const third = context.caller(ada.key, await context.open())
      expectEqual(await third.claim(), { status: 'done' }, 'the sender’s claim')
      expectEqual(await third.claim({ reprocess: true }), { ...claimed, attempt: 3 }, 'the reprocessing claim')
    },
  },
  {
    name: 'with all operations running concurrently, a delivery has one owner at a time and no attempt is counted twice',
    async run(context) {
      const stores = [context.store, await context.open(), await context.open()]
      const keys = Array.from({ length: 8 }, randomKey)
      const logs = new Map(keys.map((key) => [key, createLog()]))
      await concurrently(40, async (index) => {
        for (let step = 0; step < 8; step++) {
          const key = keys[(index + step) % keys.length] as string
          await attemptOnce(context.caller(key, stores[index % stores.length]), logs.get(key) as Log, index + step)
        }
      })
      for (const [key, log] of logs) {
        expectEqual(log.overlaps, 0, 'callers that owned a delivery at the same time')
        expectEqual(
          log.attempts,
          log.attempts.map((_, index) => index + 1),
          'attempts in the order of their claims',
        )
        expectEqual(log.refused, 0, 'owners whose calls were refused')
        expectEqual(
          (await context.caller(key).claim()).status,
          log.isCompleted ? 'done' : 'claimed',
          'the delivery at the end',
        )
      }
    },
  },
]

async function reopened(context: TestContext, key: string): Promise<Caller> {
  await context.close(context.store)
  return context.caller(key, await context.open())
}

interface Log {
  owners: number
  overlaps: number
  refused: number
  isCompleted: boolean
  readonly attempts: number[]
}

function createLog(): Log {
  return { owners: 0, overlaps: 0, refused: 0, isCompleted: false, attempts: [] }
}

/** Claims a delivery, renews the claim, and completes or releases it. */
async function attemptOnce(caller: Caller, log: Log, seed: number): Promise<void> {
  const result = await caller.claim({ attemptGapMs: Number.MAX_SAFE_INTEGER })
  if (result.status !== 'claimed') return
  expectTrue(!log.isCompleted, 'no claim of a completed delivery')
  log.owners++
  if (log.owners > 1) log.overlaps++
  log.attempts.push(result.attempt)
  const renewed = await caller.renew()
  const isLast = seed % 11 === 10
  // Counted before the store call, because another caller may claim the delivery as soon as the store has processed the call.
  log.owners--
  if (isLast) log.isCompleted = true
  const ended = await (isLast ? caller.complete() : caller.release())
  if (!renewed || !ended) log.refused++
}
