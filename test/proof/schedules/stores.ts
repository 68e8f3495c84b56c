// Plays schedules of calls against a store and the model: calls one after the other, calls at once (some order of them must explain the
// answers), and time that goes by.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { Store } from '../../../src/index.js'
import {
  createModel,
  GAP,
  handlerOf,
  LEASE,
  type StepResponse,
  type StoreModel,
  type StoreStep,
  tokenOf,
} from './store-model.js'

/** Calls that are made at once, or time that passes. */
export type StoreMove = readonly StoreStep[] | number

/** A store under test. */
export interface ScheduledStore {
  /** Stores that share their records; calls at once go to one after the other. */
  readonly stores: readonly Store<unknown>[]
  /** The time by which the store judges, in epoch milliseconds. */
  now(): number
  /** Milliseconds in the model's unit of time: more than a schedule takes where the store has a real clock. */
  readonly unitMs: number
  /** Whether `until` can be compared exactly. */
  readonly exact: boolean
  /** Lets time pass for the record at a key. */
  pass(ms: number, key: string): unknown
  /** Drops every record: time passes for all that are there, so a hundred thousand of them would take long. */
  clear?(): unknown
}

const STEP: fc.Arbitrary<StoreStep> = fc.record({
  call: fc.constantFrom('claim', 'claim', 'renew', 'complete', 'release'),
  worker: fc.nat(3),
  flag: fc.boolean(),
  retain: fc.oneof(fc.nat(60), fc.constant(500)),
})

/** A schedule. `together`: how many calls are made at once at most. */
export function scheduleOf(together: number): fc.Arbitrary<readonly StoreMove[]> {
  const calls = fc.array(STEP, { minLength: 1, maxLength: together })
  return fc.array(fc.oneof({ weight: 4, arbitrary: calls }, { weight: 1, arbitrary: fc.nat(60) }), {
    minLength: 3,
    maxLength: 30,
    size: 'max',
  })
}

/** Plays one schedule on a key of its own; throws where no order of the calls explains the answers. Gives back how many calls were made. */
export async function playSchedule(moves: readonly StoreMove[], tested: ScheduledStore): Promise<number> {
  const key = randomBytes(32).toString('hex')
  await tested.clear?.()
  // Calls at once may leave more than one state that explains their answers: later ones tell which it is.
  let models: readonly StoreModel[] = [createModel()]
  let calls = 0
  for (const move of moves) {
    if (typeof move === 'number') {
      for (const model of models) model.pass(move)
      await tested.pass(move * tested.unitMs + overBy(tested), key)
      continue
    }
    // Whether a record that is over is still there is left to the store: only a claim tells.
    const isOver = models.some((model) => model.isOver())
    const steps = isOver ? move.filter(({ call }) => call === 'claim').slice(0, 1) : move
    const responses = await Promise.all(
      steps.map((step, index) => ask(tested, index, key, step, models[0]?.now() ?? 0)),
    )
    calls += steps.length
    const after = models.flatMap((model) => explain(model, steps, responses))
    if (after.length === 0) throw new Error(`no order of ${JSON.stringify(steps)} gives ${JSON.stringify(responses)}`)
    models = [...new Map(after.map((model) => [model.state(), model])).values()]
  }
  return calls
}

/** By a real clock what ends now is over in the next millisecond, in which some calls fit: in a schedule it ended in the last one. */
function overBy({ exact }: ScheduledStore): number {
  return exact ? 0 : 1
}

async function ask(
  tested: ScheduledStore,
  index: number,
  key: string,
  { call, worker, flag, retain }: StoreStep,
  modelNow: number,
): Promise<StepResponse> {
  const { stores, unitMs, exact } = tested
  const store = stores[index % stores.length] as Store<unknown>
  const token = tokenOf(worker)
  const leaseMs = LEASE * unitMs
  const retainUntil = tested.now() + retain * unitMs - overBy(tested)
  const completedHandlers = [handlerOf(worker)]
  switch (call) {
    case 'renew':
      return store.renew({ key, token, leaseMs, completedHandlers })
    case 'complete':
      return store.complete({ key, token, retainUntil, quarantined: flag, completedHandlers })
    case 'release':
      return store.release({ key, token, completedHandlers, counted: flag })
    default: {
      const result = await store.claim({
        key,
        token,
        leaseMs,
        attemptGapMs: GAP * unitMs,
        retainUntil,
        reprocess: flag,
      })
      if (result.status === 'claimed') {
        const { status, attempt, releasedAttempts } = result
        return { status, attempt, releasedAttempts, completedHandlers: [...result.completedHandlers].sort() }
      }
      if (result.status !== 'busy') return { status: result.status }
      const left = (result.until - tested.now()) / unitMs
      return { ...result, until: modelNow + (exact ? left : Math.ceil(left)) }
    }
  }
}

/** The models after every order of the calls that explains the answers. */
function explain(
  model: StoreModel,
  steps: readonly StoreStep[],
  responses: readonly StepResponse[],
): readonly StoreModel[] {
  if (steps.length === 0) return [model]
  return steps.flatMap((step, index) => {
    const next = model.copy()
    if (JSON.stringify(next.apply(step)) !== JSON.stringify(responses[index])) return []
    const isOther = (_: unknown, other: number) => other !== index
    // The contract leaves open whether a call that finds it finished makes it remembered for longer: stores differ, and none forgets sooner.
    const isFinished = ['done', 'quarantined'].includes(next.phase() ?? '')
    const states =
      isFinished && (step.call === 'claim' || step.call === 'complete') ? [next, next.remembering(step.retain)] : [next]
    return states.flatMap((state) => explain(state, steps.filter(isOther), responses.filter(isOther)))
  })
}
