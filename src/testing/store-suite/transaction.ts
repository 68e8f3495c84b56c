/**
 * Transactions: a handler's writes and its checkpoint are committed together, and only by the owner of the claim.
 */
import { isWebhookError } from '../../errors.js'
import type { TransactionProbe } from './driver.js'
import { expectEqual, expectError, expectTrue } from './expect.js'
import { type Caller, type Claimed, concurrently, randomKey, type TestContext, withNeed } from './store-test.js'

const CHECKPOINT = 'count'

/** Tests of `transaction`. Each effect is a unique text. */
export const transaction = withNeed('transaction', [
  {
    name: 'an effect and its checkpoint are committed together',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim()
      const effect = await commit(context, ada)
      expectEqual(await count(context, effect), 1, 'effects')
      await context.pass(5)
      expectEqual(await ben.claim(), claimed(2, [CHECKPOINT]), 'the next attempt after a crash')
    },
  },
  {
    name: 'a transaction that throws commits neither its effect nor its checkpoint and rethrows the same error',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim()
      const failure = new Error('the effect failed')
      const effect = randomKey()
      const thrown = await expectError(
        () => commit(context, ada, effect, () => Promise.reject(failure)),
        'the transaction',
      )
      expectTrue(thrown === failure, 'the error that was thrown')
      expectEqual(await count(context, effect), 0, 'effects')
      await context.pass(5)
      expectEqual(await ben.claim(), claimed(2, []), 'the next attempt after a crash')
    },
  },
  {
    name: 'an owner that lost its claim before the transaction commits nothing',
    async run(context) {
      const [ada, ben, cleo] = context.callers() as [Caller, Caller, Caller]
      await ada.claim()
      await context.pass(5)
      await ben.claim()
      await expectLost(context, ada)
      expectEqual((await cleo.claim()).status, 'busy', 'another claim')
      await ben.release()
      expectEqual((await cleo.claim()) as object, { ...claimed(3, []), releasedAttempts: 1 }, 'the next attempt')
    },
  },
  {
    name: 'an owner that loses its claim during the transaction commits nothing',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const other = context.caller(ben.key, await context.open())
      await ada.claim()
      await expectLost(context, ada, async () => {
        await context.pass(5)
        expectEqual((await other.claim()).status, 'claimed', 'the claim of another caller')
      })
      expectEqual(await other.complete(), true, 'the completion of the other caller')
    },
  },
  {
    name: 'an open transaction blocks neither renewals nor the claims of other callers',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      const [sameOwner, otherCaller] = [await context.open(), await context.open()].map((store) =>
        context.caller(ada.key, store),
      )
      await ada.claim()
      const effect = await commit(context, ada, randomKey(), async () => {
        expectEqual(await sameOwner?.renew({ token: ada.token }), true, 'the renewal')
        expectEqual((await otherCaller?.claim())?.status, 'busy', 'another claim')
      })
      expectEqual(await count(context, effect), 1, 'effects')
      expectEqual(await ada.complete(), true, 'the completion')
      expectEqual(await ben.claim(), { status: 'done' }, 'a claim after it')
    },
  },
  {
    name: 'an owner whose lease has expired commits if no other caller has claimed',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim()
      await context.pass(5)
      const effect = await commit(context, ada)
      expectEqual(await count(context, effect), 1, 'effects')
      expectEqual(await ben.claim(), claimed(2, [CHECKPOINT]), 'the next attempt')
    },
  },
  {
    name: 'an owner commits nothing after its own release, completion or quarantine',
    async run(context) {
      for (const ending of ['release', 'complete', 'quarantine'] as const) {
        const [ada] = context.callers() as [Caller]
        await ada.claim()
        await (ending === 'release' ? ada.release() : ada.complete({ quarantined: ending === 'quarantine' }))
        await expectLost(context, ada)
      }
    },
  },
  {
    name: 'of two owners with concurrent transactions for one delivery, exactly one commits',
    async run(context) {
      const other = await context.open()
      for (let round = 0; round < 10; round++) {
        const [ada] = context.callers() as [Caller]
        const ben = context.caller(ada.key, other)
        const effect = randomKey()
        await ada.claim({ leaseMs: 1 })
        await context.pass(0.1)
        const late = commit(context, ada, effect).catch(expectLeaseLost)
        const result = await ben.claim()
        const done = (result as { completedHandlers?: readonly string[] }).completedHandlers ?? []
        if (!done.includes(CHECKPOINT)) await commit(context, ben, effect, undefined, other)
        await late
        expectEqual(await count(context, effect), 1, 'effects')
      }
    },
  },
  {
    name: 'checkpoints of transactions, renewals and releases add up',
    async run(context) {
      const [ada, ben] = context.callers() as [Caller, Caller]
      await ada.claim()
      await ada.renew({ completedHandlers: ['mail'] })
      await commit(context, ada)
      await ada.release({ completedHandlers: ['alert'] })
      const { completedHandlers, ...rest } = (await ben.claim()) as Claimed
      expectEqual(rest, { status: 'claimed', attempt: 2, releasedAttempts: 1 }, 'the next attempt')
      expectEqual([...completedHandlers].sort(), ['alert', CHECKPOINT, 'mail'], 'completed handlers')
    },
  },
  {
    name: 'concurrent transactions of 20 different deliveries are all committed',
    async run(context) {
      const effects = await concurrently(20, async () => {
        const caller = context.caller(randomKey())
        await caller.claim()
        return commit(context, caller)
      })
      for (const effect of effects) expectEqual(await count(context, effect), 1, 'effects')
    },
  },
  {
    name: 'a token of another namespace commits nothing',
    async run(context) {
      const [ada] = context.callers() as [Caller]
      const elsewhere = await context.open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` })
      await ada.claim()
      await context.caller(ada.key, elsewhere).claim()
      await expectLost(context, ada, undefined, elsewhere)
    },
  },
  {
    name: 'committed effects and checkpoints survive a restart',
    needs: ['durable'],
    async run(context) {
      const [ada] = context.callers() as [Caller]
      await ada.claim()
      const effect = await commit(context, ada)
      await context.close(context.store)
      const later = context.caller(ada.key, await context.open())
      await context.pass(5)
      expectEqual(await later.claim(), claimed(2, [CHECKPOINT]), 'the next attempt')
      expectEqual(await count(context, effect), 1, 'effects')
    },
  },
])

function claimed(attempt: number, completedHandlers: readonly string[]) {
  return { status: 'claimed', attempt, releasedAttempts: 0, completedHandlers }
}

function probe({ driver }: TestContext): TransactionProbe {
  if (!driver.transaction) throw new Error(`${driver.name} has no transaction probe`)
  return driver.transaction
}

function count(context: TestContext, effect: string): Promise<number> {
  return probe(context).count(effect)
}

/** Commits an effect under a caller's claim and returns the effect. */
async function commit(
  context: TestContext,
  { key, token }: Caller,
  effect = randomKey(),
  before?: () => Promise<void>,
  store = context.store,
): Promise<string> {
  await probe(context).commit(store, { key, token, checkpoint: CHECKPOINT }, effect, before)
  return effect
}

async function expectLost(
  context: TestContext,
  caller: Caller,
  before?: () => Promise<void>,
  store = context.store,
): Promise<void> {
  const effect = randomKey()
  const error = await expectError(
    () => commit(context, caller, effect, before, store),
    'the transaction of a lost claim',
  )
  expectLeaseLost(error)
  expectEqual(await count(context, effect), 0, 'effects')
}

function expectLeaseLost(error: unknown): void {
  expectTrue(
    isWebhookError(error) && error.code === 'lease_lost',
    `a WebhookError with the code lease_lost, got ${error}`,
  )
}
