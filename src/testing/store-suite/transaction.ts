/**
 * Transactions: what a handler writes and its checkpoint are committed together, by the owner of the claim only.
 */
import { isWebhookError } from '../../errors.js'
import { atOnce, type Bench, type Claimed, randomKey, type Worker, withNeed } from './bench.js'
import type { TransactionProbe } from './driver.js'
import { expectEqual, expectError, expectTrue } from './expect.js'

const CHECKPOINT = 'count'

/** Tests of `transaction`; each effect is a text of its own. */
export const transaction = withNeed('transaction', [
  {
    name: 'an effect and its checkpoint are committed together',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim()
      const effect = await commit(bench, ada)
      expectEqual(await count(bench, effect), 1, 'effects')
      await bench.pass(5)
      expectEqual(await ben.claim(), claimed(2, [CHECKPOINT]), 'the next try after a crash')
    },
  },
  {
    name: 'an effect that throws leaves neither itself nor its checkpoint, and its error comes out as it is',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim()
      const failure = new Error('the effect failed')
      const effect = randomKey()
      const thrown = await expectError(
        () => commit(bench, ada, effect, () => Promise.reject(failure)),
        'the transaction',
      )
      expectTrue(thrown === failure, 'the very error that was thrown')
      expectEqual(await count(bench, effect), 0, 'effects')
      await bench.pass(5)
      expectEqual(await ben.claim(), claimed(2, []), 'the next try after a crash')
    },
  },
  {
    name: 'an owner that lost its claim before commits nothing',
    async run(bench) {
      const [ada, ben, cleo] = bench.workers() as [Worker, Worker, Worker]
      await ada.claim()
      await bench.pass(5)
      await ben.claim()
      await expectLost(bench, ada)
      expectEqual((await cleo.claim()).status, 'busy', 'another claim')
      await ben.release()
      expectEqual((await cleo.claim()) as object, { ...claimed(3, []), releasedAttempts: 1 }, 'the next try')
    },
  },
  {
    name: 'an owner that loses its claim within the transaction commits nothing',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const other = bench.worker(ben.key, await bench.open())
      await ada.claim()
      await expectLost(bench, ada, async () => {
        await bench.pass(5)
        expectEqual((await other.claim()).status, 'claimed', 'the claim of another, meanwhile')
      })
      expectEqual(await other.complete(), true, 'the completion of the other')
    },
  },
  {
    name: 'an owner renews its lease and a caller is told busy while a transaction is open',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      const [again, caller] = [await bench.open(), await bench.open()].map((store) => bench.worker(ada.key, store))
      await ada.claim()
      const effect = await commit(bench, ada, randomKey(), async () => {
        expectEqual(await again?.renew({ token: ada.token }), true, 'the renewal')
        expectEqual((await caller?.claim())?.status, 'busy', 'another claim')
      })
      expectEqual(await count(bench, effect), 1, 'effects')
      expectEqual(await ada.complete(), true, 'the completion')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim after it')
    },
  },
  {
    name: 'an owner whose lease is over commits what nobody else has claimed',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim()
      await bench.pass(5)
      const effect = await commit(bench, ada)
      expectEqual(await count(bench, effect), 1, 'effects')
      expectEqual(await ben.claim(), claimed(2, [CHECKPOINT]), 'the next try')
    },
  },
  {
    name: 'after its own release, completion or quarantine an owner commits nothing',
    async run(bench) {
      for (const end of ['release', 'complete', 'quarantine'] as const) {
        const [ada] = bench.workers() as [Worker]
        await ada.claim()
        await (end === 'release' ? ada.release() : ada.complete({ quarantined: end === 'quarantine' }))
        await expectLost(bench, ada)
      }
    },
  },
  {
    name: 'of two owners of one delivery, each with its transaction at once, one commits',
    async run(bench) {
      const other = await bench.open()
      for (let round = 0; round < 10; round++) {
        const [ada] = bench.workers() as [Worker]
        const ben = bench.worker(ada.key, other)
        const effect = randomKey()
        await ada.claim({ leaseMs: 1 })
        await bench.pass(0.1)
        const late = commit(bench, ada, effect).catch(expectLeaseLost)
        const response = await ben.claim()
        const done = (response as { completedHandlers?: readonly string[] }).completedHandlers ?? []
        if (!done.includes(CHECKPOINT)) await commit(bench, ben, effect, undefined, other)
        await late
        expectEqual(await count(bench, effect), 1, 'effects')
      }
    },
  },
  {
    name: 'checkpoints of transactions, renewals and releases add up',
    async run(bench) {
      const [ada, ben] = bench.workers() as [Worker, Worker]
      await ada.claim()
      await ada.renew({ completedHandlers: ['mail'] })
      await commit(bench, ada)
      await ada.release({ completedHandlers: ['alert'] })
      const { completedHandlers, ...rest } = (await ben.claim()) as Claimed
      expectEqual(rest, { status: 'claimed', attempt: 2, releasedAttempts: 1 }, 'the next try')
      expectEqual([...completedHandlers].sort(), ['alert', CHECKPOINT, 'mail'], 'handlers done')
    },
  },
  {
    name: '20 transactions of different deliveries at once are all committed',
    async run(bench) {
      const effects = await atOnce(20, async () => {
        const worker = bench.worker(randomKey())
        await worker.claim()
        return commit(bench, worker)
      })
      for (const effect of effects) expectEqual(await count(bench, effect), 1, 'effects')
    },
  },
  {
    name: 'a token of another namespace commits nothing',
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      const elsewhere = await bench.open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` })
      await ada.claim()
      await bench.worker(ada.key, elsewhere).claim()
      await expectLost(bench, ada, undefined, elsewhere)
    },
  },
  {
    name: 'what was committed is known after a restart',
    needs: ['durable'],
    async run(bench) {
      const [ada] = bench.workers() as [Worker]
      await ada.claim()
      const effect = await commit(bench, ada)
      await bench.close(bench.store)
      const later = bench.worker(ada.key, await bench.open())
      await bench.pass(5)
      expectEqual(await later.claim(), claimed(2, [CHECKPOINT]), 'the next try')
      expectEqual(await count(bench, effect), 1, 'effects')
    },
  },
])

function claimed(attempt: number, completedHandlers: readonly string[]) {
  return { status: 'claimed', attempt, releasedAttempts: 0, completedHandlers }
}

function probe({ driver }: Bench): TransactionProbe {
  if (!driver.transaction) throw new Error(`${driver.name} says no way to try its transactions`)
  return driver.transaction
}

function count(bench: Bench, effect: string): Promise<number> {
  return probe(bench).count(effect)
}

/** Commits an effect under a worker's claim; gives back the effect. */
async function commit(
  bench: Bench,
  { key, token }: Worker,
  effect = randomKey(),
  before?: () => Promise<void>,
  store = bench.store,
): Promise<string> {
  await probe(bench).commit(store, { key, token, checkpoint: CHECKPOINT }, effect, before)
  return effect
}

async function expectLost(
  bench: Bench,
  worker: Worker,
  before?: () => Promise<void>,
  store = bench.store,
): Promise<void> {
  const effect = randomKey()
  const error = await expectError(() => commit(bench, worker, effect, before, store), 'the transaction of a lost claim')
  expectLeaseLost(error)
  expectEqual(await count(bench, effect), 0, 'effects')
}

function expectLeaseLost(error: unknown): void {
  expectTrue(
    isWebhookError(error) && error.code === 'lease_lost',
    `a WebhookError with the code lease_lost, not ${error}`,
  )
}
