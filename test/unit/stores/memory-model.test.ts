/** memoryStore against a model that is nothing but the contract's sentences, under whatever workers do. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryStore, type Store } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'

const LEASE_MS = 50
const GAP_MS = 30

interface Record {
  token: string
  attempt: number
  released: number
  countedAt: number
  leaseUntil: number
  retainUntil: number
  state: 'in progress' | 'released' | 'done' | 'quarantined'
  readonly handlersDone: Set<string>
}

/** The contract of `stores/store.ts`, rule by rule. */
function createModel(now: () => number) {
  let record: Record | undefined
  const isThere = () => record !== undefined && Math.max(record.retainUntil, record.leaseUntil) > now()
  const owns = (token: string) => record?.state === 'in progress' && record.token === token
  const told = (r: Record) => ({
    status: 'claimed',
    attempt: r.attempt,
    released: r.released,
    handlersDone: [...r.handlersDone].sort(),
  })
  return {
    claim(token: string, retainUntil: number, rework: boolean) {
      if (!isThere()) record = undefined
      if (record && (record.state === 'done' || (record.state === 'quarantined' && !rework))) return { status: 'done' }
      const isRepeated = record !== undefined && owns(token)
      if (record?.state === 'in progress' && record.leaseUntil > now() && !isRepeated) {
        if (now() - record.countedAt >= GAP_MS) Object.assign(record, { attempt: record.attempt + 1, countedAt: now() })
        return { status: 'busy', until: record.leaseUntil, attempt: record.attempt }
      }
      const before = record ?? {
        attempt: 0,
        released: 0,
        countedAt: now(),
        retainUntil,
        handlersDone: new Set<string>(),
      }
      record = {
        token,
        attempt: before.attempt + (isRepeated ? 0 : 1),
        released: before.released,
        countedAt: isRepeated ? before.countedAt : now(),
        leaseUntil: now() + LEASE_MS,
        retainUntil: Math.max(before.retainUntil, retainUntil),
        state: 'in progress',
        handlersDone: before.handlersDone,
      }
      return told(record)
    },
    renew(token: string, handler: string) {
      if (!record || !owns(token)) return false
      record.leaseUntil = now() + LEASE_MS
      record.handlersDone.add(handler)
      return true
    },
    complete(token: string, retainUntil: number, quarantined: boolean, handler: string) {
      if (record && !owns(token))
        return record.token === token && (record.state === 'done' || record.state === 'quarantined')
      if (!record) return false
      const state = quarantined ? 'quarantined' : 'done'
      Object.assign(record, { state, leaseUntil: 0, retainUntil: Math.max(record.retainUntil, retainUntil) })
      record.handlersDone.add(handler)
      return true
    },
    release(token: string, counted: boolean, handler: string) {
      if (!record || !owns(token)) return false
      record.state = 'released'
      record.leaseUntil = 0
      record.handlersDone.add(handler)
      if (counted) record.released++
      else record.attempt--
      return true
    },
    /** After this the key may be forgotten or not: nothing is asked of it before the next claim. */
    isOver: () => record !== undefined && !isThere(),
  }
}

type Step = readonly [
  call: 'claim' | 'renew' | 'complete' | 'release' | 'pass',
  worker: number,
  flag: boolean,
  ms: number,
]

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom('claim', 'claim', 'renew', 'complete', 'release', 'pass'),
    fc.nat(3),
    fc.boolean(),
    fc.nat(60),
  ),
  { maxLength: 60, size: 'max' },
)

test('it does what the contract says, whatever four workers do with one delivery', () => {
  const KEY = 'ab'.repeat(32)
  let claims = 0
  fc.assert(
    fc.property(steps, (list) => {
      const clock = fixedClock(1000)
      const store = memoryStore({ clock }) as Store
      const model = createModel(() => clock.now())
      const claim = (token: string, retainUntil: number, rework: boolean) => {
        const answer = store.claim({ key: KEY, token, leaseMs: LEASE_MS, tryGapMs: GAP_MS, retainUntil, rework })
        return 'handlersDone' in answer ? { ...answer, handlersDone: [...answer.handlersDone].sort() } : answer
      }
      for (const [call, worker, flag, ms] of list) {
        const token = `token-${worker}`
        const handler = `handler-${worker}`
        const retainUntil = clock.now() + (flag ? 500 : ms)
        if (call === 'pass') clock.set(clock.now() + ms)
        else if (call === 'claim') {
          expect(claim(token, retainUntil, flag)).toEqual(model.claim(token, retainUntil, flag))
          claims++
        } else if (model.isOver()) continue
        else if (call === 'renew') {
          expect(store.renew({ key: KEY, token, leaseMs: LEASE_MS, handlersDone: [handler] })).toBe(
            model.renew(token, handler),
          )
        } else if (call === 'complete') {
          const request = { key: KEY, token, retainUntil, quarantined: flag, handlersDone: [handler] }
          expect(store.complete(request)).toBe(model.complete(token, retainUntil, flag, handler))
        } else {
          const request = { key: KEY, token, handlersDone: [handler], counted: flag }
          expect(store.release(request)).toBe(model.release(token, flag, handler))
        }
      }
    }),
    { numRuns: 1000 },
  )
  expect(claims).toBeGreaterThan(5000)
})
