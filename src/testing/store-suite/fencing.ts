/**
 * Fencing: whoever lost its claim changes nothing, whatever it does and whatever became of the delivery since.
 */
import { atOnce, type StoreTest, type Worker } from './bench.js'
import { expectEqual } from './expect.js'

interface LateAct {
  readonly name: string
  act(owner: Worker): Promise<boolean>
}

/** Everything an owner can do. */
const ACTS: readonly LateAct[] = [
  { name: 'renewal', act: (owner) => owner.renew({ completedHandlers: ['late'] }) },
  { name: 'completion', act: (owner) => owner.complete({ completedHandlers: ['late'] }) },
  {
    name: 'completion into quarantine',
    act: (owner) => owner.complete({ quarantined: true, completedHandlers: ['late'] }),
  },
  { name: 'release', act: (owner) => owner.release({ completedHandlers: ['late'] }) },
  { name: 'uncounted release', act: (owner) => owner.release({ completedHandlers: ['late'], counted: false }) },
]

interface State {
  readonly name: string
  /** Takes a delivery that `ben` has claimed after the late owner into the state. */
  reach(ben: Worker, cleo: Worker): Promise<unknown>
  /** What a new claim finds. */
  readonly found: Record<string, unknown>
}

/** Everything that can have become of a delivery since its late owner's lease was over; the late owner's try was the first. */
const STATES: readonly State[] = [
  { name: 'claimed by another', reach: async () => {}, found: { status: 'busy', attempt: 2 } },
  { name: 'renewed by another', reach: (ben) => ben.renew(), found: { status: 'busy', attempt: 2 } },
  {
    name: 'released by another',
    reach: (ben) => ben.release({ completedHandlers: ['kept'] }),
    found: { status: 'claimed', attempt: 3, releasedAttempts: 1, completedHandlers: ['kept'] },
  },
  { name: 'finished by another', reach: (ben) => ben.complete(), found: { status: 'done' } },
  {
    name: 'quarantined by another',
    reach: (ben) => ben.complete({ quarantined: true }),
    found: { status: 'done' },
  },
  {
    name: 'claimed by a third',
    reach: async (ben, cleo) => [await ben.release(), await cleo.claim()],
    found: { status: 'busy', attempt: 3 },
  },
]

const lateOwners = STATES.flatMap((state) =>
  ACTS.map(
    ({ name, act }): StoreTest => ({
      name: `a late owner’s ${name} changes nothing of a delivery ${state.name}`,
      async run({ workers, pass }) {
        const [ada, ben, cleo, dora] = workers() as [Worker, Worker, Worker, Worker]
        await ada.claim()
        await pass(5)
        await ben.claim()
        await state.reach(ben, cleo)
        expectEqual(await act(ada), false, `the late ${name}`)
        // Read without the end of the lease: fencing says nothing of times.
        const { until: _, ...found } = { until: 0, ...(await dora.claim()) }
        expectEqual(found, state.found, 'a new claim')
      },
    }),
  ),
)

const afterwards = (['complete', 'release'] as const).flatMap((ending) =>
  ACTS.filter(({ name }) => ending === 'release' || !name.startsWith('completion')).map(
    ({ name, act }): StoreTest => ({
      name: `an owner’s ${name} after its own ${ending === 'complete' ? 'completion' : 'release'} changes nothing`,
      async run({ workers }) {
        const [ada, ben] = workers() as [Worker, Worker]
        await ada.claim()
        await ada[ending]()
        expectEqual(await act(ada), false, `the ${name}`)
        const released = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: [] }
        expectEqual(await ben.claim(), ending === 'complete' ? { status: 'done' } : released, 'a new claim')
      },
    }),
  ),
)

const strangers = ACTS.map(
  ({ name, act }): StoreTest => ({
    name: `a stranger’s ${name} is refused, of a delivery that is held and of one that is not there`,
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      expectEqual(await act(ben), false, `the ${name} of a delivery that is not there`)
      const fresh = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
      expectEqual(await ada.claim(), fresh, 'the first claim')
      expectEqual(await act(ben), false, `the stranger’s ${name}`)
      expectEqual(await ada.claim(), fresh, 'the owner’s claim, repeated')
    },
  }),
)

/** Tests of tokens. */
export const fencing: readonly StoreTest[] = [
  ...lateOwners,
  ...afterwards,
  ...strangers,
  {
    name: 'a completion repeated with its token is true again',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      expectEqual([await ada.complete(), await ada.complete()], [true, true], 'both completions')
      expectEqual(await ben.claim(), { status: 'done' }, 'a new claim')
    },
  },
  {
    name: 'a completion into quarantine repeated with its token is true again',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      const complete = () => ada.complete({ quarantined: true })
      expectEqual([await complete(), await complete()], [true, true], 'both completions')
      expectEqual(await ben.claim(), { status: 'done' }, 'a new claim')
    },
  },
  {
    name: 'of many completions at once only the owner’s counts',
    async run({ workers, worker }) {
      const [ada] = workers() as [Worker]
      await ada.claim()
      const responses = await atOnce(100, (index) => (index === 50 ? ada : worker(ada.key)).complete())
      expectEqual(
        responses.map((response, index) => (response ? index : -1)).filter((index) => index >= 0),
        [50],
        'true for',
      )
    },
  },
  {
    name: 'when an owner’s completion and another’s claim meet, only one of them succeeds',
    async run({ workers, pass, open, worker }) {
      const other = await open()
      for (let round = 0; round < 20; round++) {
        const [ada] = workers() as [Worker]
        await ada.claim({ leaseMs: 1 })
        await pass(round === 0 ? 1 : 0.01)
        const [completed, claim] = await Promise.all([ada.complete(), worker(ada.key, other).claim()])
        expectEqual(
          claim.status,
          completed ? 'done' : 'claimed',
          `the other’s claim beside a completion that was ${completed}`,
        )
      }
    },
  },
]
