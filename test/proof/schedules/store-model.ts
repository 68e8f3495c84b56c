/** A model of the contract in `stores/store.ts` for one delivery: the result that a store must return for every call at any time. */

/** The model's lease, and the minimum gap between counted attempts, in its own units of time. */
export const LEASE = 50
export const GAP = 30

interface ModelRecord {
  token: string
  attempt: number
  releasedAttempts: number
  countedAt: number
  leaseUntil: number
  retainUntil: number
  state: 'in progress' | 'released' | 'done' | 'quarantined'
  readonly completedHandlers: Set<string>
}

/** A store call. `retain` is relative to now. */
export interface StoreStep {
  readonly call: 'claim' | 'renew' | 'complete' | 'release'
  readonly worker: number
  readonly flag: boolean
  readonly retain: number
}

/** The result of a call, in a form that can be compared between stores. */
export type StepResponse = boolean | { readonly status: string; readonly [detail: string]: unknown }

/** A model of one record. */
export interface StoreModel {
  apply(step: StoreStep): StepResponse
  pass(time: number): void
  readonly now: () => number
  /** Whether the retention has expired. The record may still exist then, so only a claim has a defined result. */
  isExpired(): boolean
  copy(): StoreModel
  /** The state of the record, if it exists. */
  phase(): string | undefined
  /** A copy that retains the record for at least `retain` from now. */
  remembering(retain: number): StoreModel
  /** Everything that later results depend on, as text. */
  state(): string
}

/** Makes a model without a record, or with a copy of a record. */
export function createModel(start = 1000, source?: ModelRecord): StoreModel {
  let now = start
  let record = source && { ...source, completedHandlers: new Set(source.completedHandlers) }
  const isThere = () => record !== undefined && Math.max(record.retainUntil, record.leaseUntil) > now
  const owns = (token: string) => record?.state === 'in progress' && record.token === token
  const calls: Readonly<Record<StoreStep['call'], (step: StoreStep) => StepResponse>> = {
    claim: ({ worker, flag, retain }) => claim(tokenOf(worker), now + retain, flag),
    renew({ worker }) {
      if (!record || !owns(tokenOf(worker))) return false
      record.leaseUntil = now + LEASE
      record.completedHandlers.add(handlerOf(worker))
      return true
    },
    complete({ worker, flag, retain }) {
      if (!record) return false
      const isFinished = record.state === 'done' || record.state === 'quarantined'
      if (!owns(tokenOf(worker))) return isFinished && record.token === tokenOf(worker)
      const retainUntil = Math.max(record.retainUntil, now + retain)
      Object.assign(record, { state: flag ? 'quarantined' : 'done', leaseUntil: 0, retainUntil })
      record.completedHandlers.add(handlerOf(worker))
      return true
    },
    release({ worker, flag }) {
      if (!record) return false
      if (!owns(tokenOf(worker))) return record.state === 'released' && record.token === tokenOf(worker)
      Object.assign(record, { state: 'released', leaseUntil: 0 })
      record.completedHandlers.add(handlerOf(worker))
      if (flag) record.releasedAttempts++
      else record.attempt--
      return true
    },
  }
  return {
    apply: (step) => calls[step.call](step),
    pass(time) {
      now += time
    },
    now: () => now,
    isExpired: () => record !== undefined && !isThere(),
    copy: () => createModel(now, record),
    phase: () => record?.state,
    remembering: (retain) =>
      createModel(now, record && { ...record, retainUntil: Math.max(record.retainUntil, now + retain) }),
    state: () =>
      JSON.stringify(record ? { ...record, completedHandlers: [...record.completedHandlers].sort() } : 'none'),
  }

  function claim(token: string, retainUntil: number, reprocess: boolean): StepResponse {
    if (!isThere()) record = undefined
    if (record && (record.state === 'done' || (record.state === 'quarantined' && !reprocess))) return { status: 'done' }
    const isRepeated = record !== undefined && owns(token)
    if (record?.state === 'in progress' && record.leaseUntil > now && !isRepeated) {
      if (now - record.countedAt >= GAP) Object.assign(record, { attempt: record.attempt + 1, countedAt: now })
      return { status: 'busy', until: record.leaseUntil, attempt: record.attempt }
    }
    const none = { attempt: 0, releasedAttempts: 0, countedAt: now, retainUntil, completedHandlers: new Set<string>() }
    const before = record ?? none
    record = {
      token,
      attempt: before.attempt + (isRepeated ? 0 : 1),
      releasedAttempts: before.releasedAttempts,
      countedAt: isRepeated ? before.countedAt : now,
      leaseUntil: now + LEASE,
      retainUntil: Math.max(before.retainUntil, retainUntil),
      state: 'in progress',
      completedHandlers: before.completedHandlers,
    }
    const { attempt, releasedAttempts, completedHandlers } = record
    return { status: 'claimed', attempt, releasedAttempts, completedHandlers: [...completedHandlers].sort() }
  }
}

/** The token of a worker. */
export function tokenOf(worker: number): string {
  return `token-${worker}`
}

/** The handler that a worker has finished. */
export function handlerOf(worker: number): string {
  return `handler-${worker}`
}
