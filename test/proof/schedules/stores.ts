/**
 * Plays schedules against a store and the model: calls in sequence, calls in parallel (some order of them must explain the results), and
 * passing time. Schedules of several keys are played at once, so that a driver's groups contain calls of several keys.
 */
import fc from 'fast-check'
import type { Store } from '../../../src/index.js'
import { randomKey } from '../../../src/testing/store-suite/store-test.js'
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

/** Parallel calls, or passing time. */
export type StoreMove = readonly StoreStep[] | number

/** A store under test. */
export interface ScheduledStore {
  /** Stores that share their records. Parallel calls are distributed over them. */
  readonly stores: readonly Store<unknown>[]
  /** The store's time, in epoch milliseconds. */
  now(): number
  /** The milliseconds of a unit of the model's time. With a real clock, a unit must be longer than a schedule takes. */
  readonly unitMs: number
  /** Whether `until` can be compared exactly. */
  readonly exact: boolean
  /** How many schedules are played at once, each on its own key. With 1, time may pass for all records. */
  readonly keysAtOnce: number
  /** Whether responses are lost, so that the driver repeats calls that were executed. */
  readonly losesResponses?: boolean
  /** Advances time for the record at a key. */
  pass(ms: number, key: string): unknown
  /** Drops every record, because a search among a hundred thousand of them would be slow. */
  clear?(): unknown
}

/** How many calls for one key are made at once. */
const MAX_PARALLEL = 3

/** Longer than a driver needs to connect again. */
const WAIT_MS = 20_000

/** How often the response to one call may be lost. */
const MAX_LOST = 2

const STEP: fc.Arbitrary<StoreStep> = fc.record({
  call: fc.constantFrom('claim', 'claim', 'renew', 'complete', 'release'),
  worker: fc.nat(3),
  flag: fc.boolean(),
  retain: fc.oneof(fc.nat(60), fc.constant(500)),
})

const SCHEDULE: fc.Arbitrary<readonly StoreMove[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(STEP, { minLength: 1, maxLength: MAX_PARALLEL }) },
    { weight: 1, arbitrary: fc.nat(60) },
  ),
  { minLength: 3, maxLength: 30, size: 'max' },
)

/** The property that some order of the calls explains the results of a store, in random schedules. `onPlayed` receives the number of calls. */
export function explainable(
  tested: ScheduledStore,
  onPlayed: (calls: number) => void = () => {},
): fc.IAsyncProperty<[readonly (readonly StoreMove[])[]]> {
  const { keysAtOnce: count } = tested
  const schedules = fc.array(SCHEDULE, { minLength: count, maxLength: count, size: 'max' })
  return fc.asyncProperty(schedules, async (each) => onPlayed(await playSchedules(each, tested)))
}

/** Plays random schedules, and rejects if a result of the store is wrong. Resolves to the number of calls. `npm run proof -- schedules` reduces a failure. */
export async function assertSchedules(tested: ScheduledStore, rounds: number): Promise<number> {
  let calls = 0
  const property = explainable(tested, (count) => {
    calls += count
  })
  await fc.assert(property, { numRuns: rounds, endOnFailure: true })
  return calls
}

/** Plays schedules at once, each on a new key. */
async function playSchedules(schedules: readonly (readonly StoreMove[])[], tested: ScheduledStore): Promise<number> {
  await tested.clear?.()
  // All of them end before the next ones clear the store, although one may have failed.
  const played = await Promise.allSettled(schedules.map((moves) => playSchedule(moves, tested)))
  const failed = played.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return played.reduce((calls, each) => calls + (each.status === 'fulfilled' ? each.value : 0), 0)
}

async function playSchedule(moves: readonly StoreMove[], tested: ScheduledStore): Promise<number> {
  const key = randomKey()
  // Several states may explain the results of parallel calls. Later results decide between them.
  let models: readonly StoreModel[] = [createModel()]
  let calls = 0
  for (const move of moves) {
    if (typeof move === 'number') {
      for (const model of models) model.pass(move)
      await tested.pass(move * tested.unitMs + expiryMs(tested), key)
      continue
    }
    // A store may keep or remove an expired record, so only a claim has a defined result.
    const isExpired = models.some((model) => model.isExpired())
    const steps = isExpired ? move.filter(({ call }) => call === 'claim').slice(0, 1) : move
    const responses = await Promise.all(
      steps.map((step, index) => ask(tested, index, key, step, models[0]?.now() ?? 0)),
    )
    calls += steps.length
    const answered = steps.map((step, index) => ({ step, response: responses[index] as StepResponse }))
    const after = explain(models, answered, tested.losesResponses ? MAX_LOST : 0)
    if (after.length === 0)
      throw new Error(`no order of ${JSON.stringify(steps)} explains ${JSON.stringify(responses)}`)
    models = after
  }
  return calls
}

/** With a real clock, time passes by 1 ms more, because a lease that ends now expires only in the next millisecond. */
function expiryMs({ exact }: ScheduledStore): number {
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
  const retainUntil = tested.now() + retain * unitMs - expiryMs(tested)
  const completedHandlers = [handlerOf(worker)]
  const waitMs = WAIT_MS
  switch (call) {
    case 'renew':
      return store.renew({ key, token, leaseMs, completedHandlers, waitMs })
    case 'complete':
      return store.complete({ key, token, retainUntil, quarantined: flag, completedHandlers, waitMs })
    case 'release':
      return store.release({ key, token, completedHandlers, counted: flag, waitMs })
    default: {
      const result = await store.claim({
        key,
        token,
        leaseMs,
        attemptGapMs: GAP * unitMs,
        retainUntil,
        reprocess: flag,
        waitMs,
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

/** Models without repetitions. */
function distinct(models: readonly StoreModel[]): readonly StoreModel[] {
  return [...new Map(models.map((model) => [model.state(), model])).values()]
}

interface Answered {
  readonly step: StoreStep
  readonly response: StepResponse
}

/**
 * The models after every order of the calls that explains the results. With `maxLost`, each call may have been executed so many times before,
 * without a response.
 */
function explain(models: readonly StoreModel[], calls: readonly Answered[], maxLost: number): readonly StoreModel[] {
  if (calls.length === 0) return models
  const before = afterLost(models, calls, maxLost)
  const after = calls.flatMap((call) => {
    const explained = before.flatMap((model) => {
      // An expired record may be deleted or not, so only a claim has a defined result.
      if (model.isExpired() && call.step.call !== 'claim' && call.response === false) return [model]
      const next = model.copy()
      const isRight = JSON.stringify(next.apply(call.step)) === JSON.stringify(call.response)
      return isRight ? statesAfter(next, call.step) : []
    })
    const others = calls.filter((other) => other !== call)
    return explained.length > 0 ? explain(distinct(explained), others, maxLost) : []
  })
  return distinct(after)
}

/** The models, and those after calls whose responses were lost. */
function afterLost(models: readonly StoreModel[], calls: readonly Answered[], maxLost: number): readonly StoreModel[] {
  let reached = models
  let latest = models
  for (let count = 0; count < maxLost * calls.length && latest.length > 0; count++) {
    const known = new Set(reached.map((model) => model.state()))
    const next = latest.flatMap((model) =>
      calls.flatMap(({ step }) => {
        const after = model.copy()
        after.apply(step)
        return statesAfter(after, step)
      }),
    )
    latest = distinct(next).filter((model) => !known.has(model.state()))
    reached = [...reached, ...latest]
  }
  return reached
}

/** A call on a finished record may extend its retention or not, because the contract leaves this open. */
function statesAfter(model: StoreModel, { call, retain }: StoreStep): readonly StoreModel[] {
  const isFinished = ['done', 'quarantined'].includes(model.phase() ?? '')
  return isFinished && (call === 'claim' || call === 'complete') ? [model, model.remembering(retain)] : [model]
}
