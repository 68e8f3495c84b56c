/**
 * A store of limited capacity on virtual time: it runs so many operations per second, in order of arrival and urgent ones first, and rejects
 * an operation that has waited as long as its caller allows. The drivers for SQLite, Postgres and Redis do the same.
 */
import { WebhookError } from '../../../src/errors.js'
import type { MaybePromise } from '../../../src/maybe-promise.js'
import { createLanes, type Waiting } from '../../../src/stores/lanes.js'
import { memoryStore } from '../../../src/stores/memory/memory-store.js'
import type { Quarantine, QuarantineEntry, Store } from '../../../src/stores/store.js'
import type { World } from './world.js'

/** The store of a campaign, with its quarantine. */
export interface LimitedStore {
  readonly store: Store & { readonly quarantine: Quarantine }
  /** The keys in the quarantine. */
  readonly kept: ReadonlySet<string>
}

interface Operation extends Waiting {
  /** Runs the operation and resolves its call. */
  run(): void
  reject(error: unknown): void
}

const STEP_MS = 20
/** The drivers' own limits. */
const WAIT_MS = 1000
const QUARANTINE_WAIT_MS = 4500
const REJECTED_EARLY_MS = 50

/** Makes the store. */
export function createLimitedStore(world: World, operationsPerSecond: number): LimitedStore {
  const state = memoryStore({ maxKeys: 2 ** 24, clock: { now: world.now, setTimer: world.after } })
  const kept = new Set<string>()
  const lanes = createLanes<Operation>()
  let isRunning = false

  function step(): void {
    const waiting = lanes.count()
    for (const { reject } of lanes.takeExpired(world.now())) reject(overloaded(waiting))
    for (const { run } of lanes.takeGroup((operationsPerSecond * STEP_MS) / 1000)) run()
    isRunning = lanes.count() > 0
    if (isRunning) world.after(STEP_MS, step)
  }

  function call<T>(waitMs: number, isUrgent: boolean, apply: () => MaybePromise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = world.now() + waitMs - REJECTED_EARLY_MS
      lanes.add({ isUrgent, isAlone: false, deadline, run: () => resolve(apply()), reject })
      if (!isRunning) world.after(STEP_MS, step)
      isRunning = true
    })
  }

  const urgent =
    <Request extends { readonly waitMs?: number | undefined }, T>(apply: (request: Request) => MaybePromise<T>) =>
    (request: Request) =>
      call(request.waitMs ?? WAIT_MS, true, () => apply(request))
  const keep = ({ key, code }: QuarantineEntry) => {
    const isEarly = code === 'retry_pending'
    return call(isEarly ? WAIT_MS : QUARANTINE_WAIT_MS, !isEarly, () => void kept.add(key))
  }
  const quarantine = Object.assign(keep, {
    discard: (key: string) => call(QUARANTINE_WAIT_MS, true, () => void kept.delete(key)),
    get: async () => undefined,
    list: async () => [],
  })
  const store = {
    claim: (request) => call(request.waitMs ?? WAIT_MS, false, () => state.claim(request)),
    renew: urgent(state.renew),
    complete: urgent(state.complete),
    release: urgent(state.release),
    waiting: lanes.count,
    quarantine,
  } satisfies Store & { quarantine: Quarantine }
  return { store: store as LimitedStore['store'], kept }
}

function overloaded(count: number): WebhookError {
  return new WebhookError('overloaded', `overloaded: ${count} operations waiting for the simulated store.`)
}
