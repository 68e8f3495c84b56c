/**
 * Groups: a driver may write operations that wait at the same time together. Each still gets its own result, in order of arrival.
 */
import { expectEqual, expectTrue } from './expect.js'
import { type Caller, concurrently, randomKey, type StoreTest, type TestContext } from './store-test.js'

/** More operations than any driver of this package writes together. */
const MANY = 600
/** Longer than a driver needs to connect again. */
const PATIENT = { waitMs: 20_000 }
const MAX_POLLS = 20_000

/** Tests of operations that are issued together. */
export const groups: readonly StoreTest[] = [
  {
    name: 'claims of one delivery that are issued together are decided in the order of their arrival',
    async run({ caller, store }) {
      const keys = Array.from({ length: 5 }, randomKey)
      const claims = await concurrently(100, async (index) => caller(keys[index % 5] as string, store).claim())
      const firsts = claims.slice(0, 5).map(({ status }) => status)
      expectEqual(firsts, Array(5).fill('claimed'), 'the first claim of each delivery')
      const others = new Set(
        claims.slice(5).map(({ status, ...rest }) => `${status} ${'attempt' in rest && rest.attempt}`),
      )
      expectEqual([...others], ['busy 1'], 'every later claim')
    },
  },
  {
    name: 'a claim repeated with its token restarts the lease, although others claim the delivery at the same time',
    async run({ callers, pass }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await pass(3)
      const together = await Promise.all([ben, ada, cleo].map((each) => each.claim()))
      const statuses = together.map(({ status }) => status)
      expectEqual(statuses, ['busy', 'claimed', 'busy'], 'the claims that are issued together')
      await pass(3)
      expectEqual((await ben.claim()).status, 'busy', 'another claim after the end of the first lease')
    },
  },
  {
    name: 'each operation of a group gets its own result',
    async run(context) {
      const { pass, caller } = context
      const holder = await claimed(context)
      const [finished, retried, abandoned, renewed, released, completed, quarantined, lost] = await concurrently(
        8,
        () => claimed(context),
      )
      await finished?.complete()
      await retried?.release({ completedHandlers: ['count'] })
      // Only the lease of this delivery expires.
      await abandoned?.renew({ leaseMs: 1 })
      await pass(0.5)
      const claim = (other: Caller | undefined) => caller(String(other?.key)).claim()
      const { until: _, ...busy } = (await claim(holder)) as { until: number }
      const results = await Promise.all([
        caller(randomKey()).claim(),
        claim(finished),
        claim(retried),
        claim(abandoned),
        renewed?.renew({ completedHandlers: ['mail'] }),
        released?.release({ completedHandlers: ['mail'] }),
        completed?.complete(),
        quarantined?.complete({ quarantined: true }),
        lost?.complete({ token: 'another token' }),
      ])
      expectEqual(busy, { status: 'busy', attempt: 1 }, 'a claim of a held delivery')
      expectEqual(
        results,
        [
          { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] },
          { status: 'done' },
          { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['count'] },
          { status: 'claimed', attempt: 2, releasedAttempts: 0, completedHandlers: [] },
          ...[true, true, true, true, false],
        ],
        'the results',
      )
      const states = await Promise.all([renewed, released, completed, quarantined, lost].map(claim))
      expectEqual(
        states.map(({ status }) => status),
        ['busy', 'claimed', 'done', 'done', 'busy'],
        'the deliveries after it',
      )
    },
  },
  {
    name: 'an operation that fails does not fail the others of its group',
    async run(context) {
      const held = await concurrently(20, () => claimed(context))
      const fresh = Array.from({ length: 20 }, () => context.caller(randomKey()))
      const bad = { retainUntil: Number.NaN }
      const operations = held.flatMap((holder, index) => [
        holder.complete(index === 10 ? bad : {}),
        (fresh[index] as Caller).claim(index === 10 ? bad : {}).then(({ status }) => status === 'claimed'),
      ])
      const results = await Promise.allSettled(operations)
      const others = results.filter((_, index) => index !== 20 && index !== 21)
      expectEqual(others, Array(38).fill({ status: 'fulfilled', value: true }), 'the other operations')
      const last = fresh.at(-1) as Caller
      expectEqual((await context.caller(last.key).claim()).status, 'busy', 'a claim after it')
    },
  },
  {
    name: 'a group whose responses are lost is repeated, and each operation counts once',
    needs: ['loseResponses'],
    async run(context) {
      const other = await context.open()
      // Connects the driver.
      await claimed(context)
      const callers = Array.from({ length: 50 }, () => context.caller(randomKey()))
      const last = callers.at(-1) as Caller
      const isClaimed = () => context.caller(last.key, other).renew({ token: last.token })
      const claims = await withoutResponses(context, () => callers.map((each) => each.claim(PATIENT)), isClaimed)
      const claim = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(claims, Array(50).fill(claim), 'the claims')
      const isEnded = async () => (await context.caller(last.key, other).claim()).status === 'done'
      // Every other one is released.
      const end = () => callers.map((each, index) => (index % 2 ? each.complete(PATIENT) : each.release(PATIENT)))
      expectEqual(await withoutResponses(context, end, isEnded), Array(50).fill(true), 'the completions and releases')
      const again = await Promise.all(callers.map(({ key }) => context.caller(key).claim()))
      const pair = [{ ...claim, attempt: 2, releasedAttempts: 1 }, { status: 'done' }]
      expectEqual(again, Array(25).fill(pair).flat(), 'the deliveries after it')
    },
  },
  {
    name: `a group of ${MANY} operations is written completely`,
    async run({ caller }) {
      const callers = Array.from({ length: MANY }, () => caller(randomKey()))
      const claims = await Promise.all(callers.map((each) => each.claim()))
      expectEqual(claims.filter(({ status }) => status === 'claimed').length, MANY, 'claimed')
      const completions = await Promise.all(callers.map((each) => each.complete()))
      expectEqual(completions.filter(Boolean).length, MANY, 'completed')
      const again = await Promise.all(callers.map(({ key }) => caller(key).claim()))
      expectEqual(again.filter(({ status }) => status === 'done').length, MANY, 'done')
    },
  },
  {
    name: 'an operation that is rejected because it waited too long changes nothing later',
    async run(context) {
      const callers = Array.from({ length: MANY }, () => context.caller(randomKey()))
      const results = await Promise.allSettled(callers.map((each) => each.claim({ waitMs: 1 })))
      // The rejected claims would be executed before a later operation.
      await claimed(context)
      const again = await Promise.all(callers.map(({ key }) => context.caller(key).claim()))
      const right = again.filter(
        ({ status }, index) => (status === 'claimed') === (results[index]?.status === 'rejected'),
      )
      expectEqual(right.length, MANY, 'deliveries that only a successful claim holds')
      const attempts = again.filter((result) => result.status !== 'done' && result.attempt !== 1)
      expectTrue(attempts.length === 0, 'no attempt of a rejected claim')
    },
  },
]

/** Starts operations whose responses are lost, and reconnects the store once `isExecuted`. Resolves to the results of the repeated operations. */
async function withoutResponses<Result>(
  { driver, store }: TestContext,
  start: () => readonly Promise<Result>[],
  isExecuted: () => Promise<boolean>,
): Promise<readonly Result[]> {
  const reconnect = await driver.loseResponses?.(store)
  const results = Promise.all(start())
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  results.then(settle, settle)
  let polls = 0
  while (polls < MAX_POLLS && !(await isExecuted())) polls++
  const areLost = !isSettled
  await reconnect?.()
  expectTrue(polls < MAX_POLLS, 'operations whose responses are lost are executed')
  expectTrue(areLost, 'their responses are lost until the store reconnects')
  return results
}

async function claimed({ caller }: TestContext): Promise<Caller> {
  const claimer = caller(randomKey())
  expectEqual((await claimer.claim()).status, 'claimed', 'the claim')
  return claimer
}
