/**
 * Fencing: an owner that lost its claim can't change the delivery in any state.
 */
import { expectEqual } from './expect.js'
import { type Caller, concurrently, type StoreTest } from './store-test.js'

interface OwnerCall {
  readonly name: string
  call(owner: Caller): Promise<boolean>
}

/** Every call that an owner can make. */
const CALLS: readonly OwnerCall[] = [
  { name: 'renewal', call: (owner) => owner.renew({ completedHandlers: ['late'] }) },
  { name: 'completion', call: (owner) => owner.complete({ completedHandlers: ['late'] }) },
  {
    name: 'completion into quarantine',
    call: (owner) => owner.complete({ quarantined: true, completedHandlers: ['late'] }),
  },
  { name: 'release', call: (owner) => owner.release({ completedHandlers: ['late'] }) },
  { name: 'uncounted release', call: (owner) => owner.release({ completedHandlers: ['late'], counted: false }) },
]

interface State {
  readonly name: string
  /** Brings the delivery into this state, after `ben` has claimed it from the late owner. */
  reach(ben: Caller, cleo: Caller): Promise<unknown>
  /** The result of a new claim. */
  readonly expected: Record<string, unknown>
}

/** Every state of a delivery after its owner's lease expired. The late owner made the first attempt. */
const STATES: readonly State[] = [
  { name: 'claimed by another caller', reach: async () => {}, expected: { status: 'busy', attempt: 2 } },
  { name: 'renewed by another caller', reach: (ben) => ben.renew(), expected: { status: 'busy', attempt: 2 } },
  {
    name: 'released by another caller',
    reach: (ben) => ben.release({ completedHandlers: ['kept'] }),
    expected: { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: ['kept'] },
  },
  { name: 'completed by another caller', reach: (ben) => ben.complete(), expected: { status: 'done' } },
  {
    name: 'quarantined by another caller',
    reach: (ben) => ben.complete({ quarantined: true }),
    expected: { status: 'done' },
  },
  {
    name: 'claimed by a third caller',
    reach: async (ben, cleo) => [await ben.release(), await cleo.claim()],
    expected: { status: 'busy', attempt: 3 },
  },
]

const lateOwners = STATES.flatMap((state) =>
  CALLS.map(
    ({ name, call }): StoreTest => ({
      name: `a late owner’s ${name} has no effect on a delivery ${state.name}`,
      async run({ callers, pass }) {
        const [ada, ben, cleo, dora] = callers() as [Caller, Caller, Caller, Caller]
        await ada.claim()
        await pass(5)
        await ben.claim()
        await state.reach(ben, cleo)
        expectEqual(await call(ada), false, `the late ${name}`)
        // Fencing doesn't determine when the lease ends.
        const { until: _, ...result } = { until: 0, ...(await dora.claim()) }
        expectEqual(result, state.expected, 'a new claim')
      },
    }),
  ),
)

const afterwards = (['complete', 'release'] as const).flatMap((ending) =>
  CALLS.filter(({ name }) => ending === 'release' || !name.startsWith('completion')).map(
    ({ name, call }): StoreTest => {
      const isRepeated = ending === 'release' && name.endsWith('release')
      const effect = isRepeated ? 'returns true again and changes nothing' : 'has no effect'
      return {
        name: `an owner’s ${name} after its own ${ending === 'complete' ? 'completion' : 'release'} ${effect}`,
        async run({ callers }) {
          const [ada, ben] = callers() as [Caller, Caller]
          await ada.claim()
          await ada[ending]()
          expectEqual(await call(ada), isRepeated, `the ${name}`)
          const released = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: [] }
          expectEqual(await ben.claim(), ending === 'complete' ? { status: 'done' } : released, 'a new claim')
        },
      }
    },
  ),
)

const otherCallers = CALLS.map(
  ({ name, call }): StoreTest => ({
    name: `another caller’s ${name} has no effect on a claimed delivery or on an absent one`,
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      expectEqual(await call(ben), false, `the ${name} of an absent delivery`)
      const fresh = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(await ada.claim(), fresh, 'the first claim')
      expectEqual(await call(ben), false, `the other caller’s ${name}`)
      expectEqual(await ada.claim(), fresh, 'the owner’s claim, repeated')
    },
  }),
)

/** Tests of tokens. */
export const fencing: readonly StoreTest[] = [
  ...lateOwners,
  ...afterwards,
  ...otherCallers,
  {
    name: 'a completion repeated with its token returns true again',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      expectEqual([await ada.complete(), await ada.complete()], [true, true], 'both completions')
      expectEqual(await ben.claim(), { status: 'done' }, 'a new claim')
    },
  },
  {
    name: 'a completion into quarantine repeated with its token returns true again',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      const complete = () => ada.complete({ quarantined: true })
      expectEqual([await complete(), await complete()], [true, true], 'both completions')
      expectEqual(await ben.claim(), { status: 'done' }, 'a new claim')
    },
  },
  {
    name: 'of 100 concurrent completions, only the owner’s succeeds',
    async run({ callers, caller }) {
      const [ada] = callers() as [Caller]
      await ada.claim()
      const results = await concurrently(100, (index) => (index === 50 ? ada : caller(ada.key)).complete())
      expectEqual(
        results.map((result, index) => (result ? index : -1)).filter((index) => index >= 0),
        [50],
        'successful completions',
      )
    },
  },
  {
    name: 'when a late completion and a new claim race, exactly one succeeds',
    async run({ callers, pass, open, caller }) {
      const other = await open()
      for (let round = 0; round < 20; round++) {
        const [ada] = callers() as [Caller]
        await ada.claim({ leaseMs: 1 })
        await pass(round === 0 ? 1 : 0.01)
        const [completed, claim] = await Promise.all([ada.complete(), caller(ada.key, other).claim()])
        expectEqual(
          claim.status,
          completed ? 'done' : 'claimed',
          `the new claim after a completion that returned ${completed}`,
        )
      }
    },
  },
]
