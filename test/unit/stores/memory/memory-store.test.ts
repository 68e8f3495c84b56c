/** The default store: its maximum size, its evictions and its clock. The conformance suite tests the store contract. */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, type Store } from '../../../../src/index.js'
import { fixedClock } from '../../../../src/testing/index.js'
import { caught } from '../../../support/caught.js'
import { collectGarbage } from '../../../support/garbage.js'

const HOUR = 60 * 60 * 1000
const keyOf = (name: number) => name.toString(16).padStart(8, '0').repeat(8)

function open(maxKeys: number) {
  const clock = fixedClock(0)
  const store = memoryStore({ maxKeys, clock }) as Store
  let tokens = 0
  const claim = (name: number, retentionMs = 72 * HOUR) => {
    const token = `token-${++tokens}`
    const retainUntil = clock.now() + retentionMs
    return {
      token,
      result: store.claim({ key: keyOf(name), token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil }),
    }
  }
  const finish = (name: number) => {
    const { token } = claim(name)
    return store.complete({ key: keyOf(name), token, retainUntil: clock.now() + 72 * HOUR })
  }
  const quarantine = (name: number, retentionMs?: number) => {
    const { token } = claim(name, retentionMs)
    return store.complete({ key: keyOf(name), token, retainUntil: 0, quarantined: true })
  }
  const fail = (name: number, retentionMs?: number) => {
    const { token } = claim(name, retentionMs)
    return store.release({ key: keyOf(name), token, completedHandlers: [], counted: true })
  }
  const statusOf = (name: number) => (claim(name).result as { status: string }).status
  return { clock, store, claim, finish, fail, quarantine, statusOf }
}

describe('a full memory store (acceptance case 154)', () => {
  test('evicts the delivery that finished first and reports it once an hour', async () => {
    const { clock, claim, finish, statusOf } = open(3)
    for (const name of [1, 2, 3]) finish(name)
    expect(claim(4).result).toMatchObject({ status: 'claimed', evictedEarly: true })
    expect(claim(5).result).toEqual({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] })
    expect(statusOf(3)).toBe('done')
    await clock.advance(HOUR)
    expect(claim(6).result).toMatchObject({ evictedEarly: true })
  })

  test('deletes expired deliveries without a report', async () => {
    const { clock, claim, finish } = open(3)
    for (const name of [1, 2, 3]) finish(name)
    await clock.advance(72 * HOUR)
    expect(claim(4).result).not.toHaveProperty('evictedEarly')
  })

  test('never evicts a live claim, and returns busy when every claim is live', () => {
    const { claim, statusOf } = open(3)
    for (const name of [1, 2, 3]) expect(claim(name).result).toMatchObject({ status: 'claimed' })
    expect(claim(4).result).toEqual({ status: 'busy', attempt: 1, until: 55_000 })
    for (const name of [1, 2, 3]) expect(statusOf(name)).toBe('busy')
  })

  test('treats an evicted delivery that returns as a new one', async () => {
    const { clock, fail, claim, statusOf } = open(4)
    fail(1, 10)
    fail(2)
    fail(3)
    await clock.advance(20)
    fail(1)
    fail(4)
    expect(statusOf(5)).toBe('claimed')
    expect(claim(2).result).toMatchObject({ status: 'claimed', attempt: 1 })
    expect(claim(1).result).toMatchObject({ status: 'claimed', attempt: 2 })
  })

  test('evicts a failed delivery before a live claim and reports it', () => {
    const { claim, fail, statusOf } = open(3)
    claim(1)
    fail(2)
    claim(3)
    expect(claim(4).result).toMatchObject({ status: 'claimed', evictedEarly: true })
    expect(statusOf(1)).toBe('busy')
    expect(statusOf(3)).toBe('busy')
  })

  test('evicts claims with expired leases, so handlers that never return cannot fill it forever', async () => {
    const { clock, claim, statusOf } = open(3)
    for (const name of [1, 2, 3]) claim(name)
    await clock.advance(54_999)
    expect(statusOf(4)).toBe('busy')
    await clock.advance(1)
    expect(statusOf(4)).toBe('claimed')
  })

  test('evicts finished deliveries to make room for failed ones', () => {
    const { fail, finish, statusOf } = open(4)
    for (const name of [1, 2, 3]) finish(name)
    for (const name of [4, 5, 6]) fail(name)
    expect([3, 2, 1].map(statusOf)).toEqual(['done', 'claimed', 'claimed'])
  })

  test('keeps the newest deliveries after a hundred times its size', () => {
    const { finish, statusOf } = open(100)
    for (let name = 0; name < 10_000; name++) expect(finish(name)).toBe(true)
    for (let name = 9900; name < 10_000; name++) expect(statusOf(name)).toBe('done')
  })

  test('does not grow with the number of deliveries', () => {
    const { finish } = open(100)
    const finishMany = (from: number) => {
      for (let name = from; name < from + 100_000; name++) finish(name)
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = finishMany(0)
    expect(finishMany(100_000) - before).toBeLessThan(500_000)
  })
})

describe('a failed or quarantined delivery', () => {
  const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

  test.each(['fail', 'quarantine'] as const)(
    'takes no room from finished deliveries after its retention (%s)',
    async (end) => {
      const { clock, finish, statusOf, ...ends } = open(1000)
      for (const name of names(1000)) ends[end](name)
      await clock.advance(72 * HOUR)
      for (const name of names(1000, 1000)) finish(name)
      expect(names(1000, 1000).filter((name) => statusOf(name) === 'done')).toHaveLength(1000)
    },
  )

  test('is deleted after its own retention, even behind deliveries that are retained longer', async () => {
    const { clock, finish, quarantine, statusOf } = open(110)
    for (const name of names(10)) quarantine(name, 720 * HOUR)
    for (const name of names(90, 10)) quarantine(name)
    await clock.advance(72 * HOUR)
    for (const name of names(90, 100)) finish(name)
    expect(names(90, 100).filter((name) => statusOf(name) === 'done')).toHaveLength(90)
    expect(names(10).filter((name) => statusOf(name) === 'done')).toHaveLength(10)
  })

  test('stays in the store until the end of its retention while many others come and go', async () => {
    const { clock, claim, finish, fail, quarantine, statusOf } = open(1000)
    fail(1)
    quarantine(2)
    await clock.advance(72 * HOUR - 1)
    for (const name of names(100, 10)) finish(name)
    expect(claim(1).result).toMatchObject({ status: 'claimed', attempt: 2 })
    expect(statusOf(2)).toBe('done')
  })

  test('stays in the store until the end of a live lease, even if its retention is shorter', async () => {
    const { clock, claim, finish, statusOf } = open(1000)
    claim(1, 1)
    await clock.advance(54_999)
    for (const name of names(100, 10)) finish(name)
    expect(statusOf(1)).toBe('busy')
  })
})

test('a delivery whose retention has expired is new again at the moment its lease ends', () => {
  const { clock, claim } = open(3)
  claim(1, 0)
  clock.set(54_999)
  expect(claim(1).result).toMatchObject({ status: 'busy' })
  clock.set(55_000)
  expect(claim(1).result).toEqual({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] })
})

test('leases follow the injected clock', async () => {
  const { clock, claim, statusOf } = open(10)
  claim(1)
  clock.set(-HOUR)
  expect(statusOf(1)).toBe('busy')
  clock.set(55_000)
  expect(statusOf(1)).toBe('claimed')
})

test('a renewal without handler names adds none', () => {
  const { store, claim } = open(3)
  const { token } = claim(1)
  const key = keyOf(1)
  expect(store.renew({ key, token, leaseMs: 55_000 })).toBe(true)
  store.release({ key, token, completedHandlers: [], counted: true })
  expect(claim(1).result).toMatchObject({ completedHandlers: [] })
})

test.each([0, 1.5, 2 ** 24 + 1])('a maxKeys of %s is refused with the allowed range', (maxKeys) => {
  expect(String(caught(() => memoryStore({ maxKeys })))).toContain(
    `maxKeys must be a whole number from 1 to 16777216; it is ${maxKeys}`,
  )
})

test('a completion never shortens the retention', async () => {
  const { clock, store, claim, statusOf } = open(10)
  const { token } = claim(1)
  await store.complete({ key: keyOf(1), token, retainUntil: 1 })
  await clock.advance(72 * HOUR - 1)
  expect(statusOf(1)).toBe('done')
  await clock.advance(1)
  expect(statusOf(1)).toBe('claimed')
})

test('a quarantined completion without handler names keeps the recorded ones', () => {
  const { store, claim } = open(10)
  const first = claim(1)
  store.release({ key: keyOf(1), token: first.token, completedHandlers: ['mail'], counted: true })
  const { token } = claim(1)
  expect(store.complete({ key: keyOf(1), token, retainUntil: HOUR, quarantined: true })).toBe(true)
  const again = {
    key: keyOf(1),
    token: 'by hand',
    leaseMs: 55_000,
    attemptGapMs: 30_000,
    retainUntil: HOUR,
    reprocess: true,
  }
  expect(store.claim(again)).toMatchObject({ status: 'claimed', completedHandlers: ['mail'] })
})

test('a late owner cannot complete, renew or release the claim of another owner', async () => {
  const { clock, store, claim, statusOf } = open(10)
  const late = claim(1)
  await clock.advance(55_000)
  const owner = claim(1)
  const held = ({ token }: typeof late) => ({ key: keyOf(1), token })
  expect(store.renew({ ...held(late), leaseMs: 55_000 })).toBe(false)
  expect(store.release({ ...held(late), completedHandlers: [], counted: true })).toBe(false)
  expect(store.complete({ ...held(late), retainUntil: HOUR })).toBe(false)
  expect(statusOf(1)).toBe('busy')
  expect(store.complete({ ...held(owner), retainUntil: HOUR })).toBe(true)
  expect(statusOf(1)).toBe('done')
})

it.each<unknown>([0, -1, 1.5, Number.NaN, Infinity, 2 ** 24 + 1, '10', null])(
  'a maxKeys of %s is refused with option_invalid',
  (maxKeys) => {
    expect(caught(() => memoryStore({ maxKeys: maxKeys as number }))).toMatchObject({ code: 'option_invalid' })
  },
)

it.each([1, 2 ** 24])('a maxKeys of %i is accepted', (maxKeys) => {
  expect(() => memoryStore({ maxKeys })).not.toThrow()
})
