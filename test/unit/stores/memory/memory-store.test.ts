/** What the default store does beside the contract, which the conformance suite tests: its cap, and whose clock it goes by. */
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
  const setAside = (name: number, retentionMs?: number) => {
    const { token } = claim(name, retentionMs)
    return store.complete({ key: keyOf(name), token, retainUntil: 0, quarantined: true })
  }
  const fail = (name: number, retentionMs?: number) => {
    const { token } = claim(name, retentionMs)
    return store.release({ key: keyOf(name), token, completedHandlers: [], counted: true })
  }
  const statusOf = (name: number) => (claim(name).result as { status: string }).status
  return { clock, store, claim, finish, fail, setAside, statusOf }
}

describe('154: when it is full', () => {
  test('the delivery finished longest ago goes, and is told of once an hour', async () => {
    const { clock, claim, finish, statusOf } = open(3)
    for (const name of [1, 2, 3]) finish(name)
    expect(claim(4).result).toMatchObject({ status: 'claimed', evictedEarly: true })
    expect(claim(5).result).toEqual({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] })
    expect(statusOf(3)).toBe('done')
    await clock.advance(HOUR)
    expect(claim(6).result).toMatchObject({ evictedEarly: true })
  })

  test('what is over goes without a word', async () => {
    const { clock, claim, finish } = open(3)
    for (const name of [1, 2, 3]) finish(name)
    await clock.advance(72 * HOUR)
    expect(claim(4).result).not.toHaveProperty('evictedEarly')
  })

  test('a live claim never goes: all live is busy', () => {
    const { claim, statusOf } = open(3)
    for (const name of [1, 2, 3]) expect(claim(name).result).toMatchObject({ status: 'claimed' })
    expect(claim(4).result).toEqual({ status: 'busy', attempt: 1, until: 55_000 })
    for (const name of [1, 2, 3]) expect(statusOf(name)).toBe('busy')
  })

  test('what was forgotten and came again is as young as its new claim', async () => {
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

  test('a failed delivery goes before a live claim does, and is told of', () => {
    const { claim, fail, statusOf } = open(3)
    claim(1)
    fail(2)
    claim(3)
    expect(claim(4).result).toMatchObject({ status: 'claimed', evictedEarly: true })
    expect(statusOf(1)).toBe('busy')
    expect(statusOf(3)).toBe('busy')
  })

  test('a claim whose lease is over is not live: handlers that never came back do not fill it for ever', async () => {
    const { clock, claim, statusOf } = open(3)
    for (const name of [1, 2, 3]) claim(name)
    await clock.advance(54_999)
    expect(statusOf(4)).toBe('busy')
    await clock.advance(1)
    expect(statusOf(4)).toBe('claimed')
  })

  test('room that failed deliveries take is missing to finished ones, and comes back', () => {
    const { fail, finish, statusOf } = open(4)
    for (const name of [1, 2, 3]) finish(name)
    for (const name of [4, 5, 6]) fail(name)
    expect([3, 2, 1].map(statusOf)).toEqual(['done', 'claimed', 'claimed'])
  })

  test('a hundred times its size changes nothing', () => {
    const { finish, statusOf } = open(100)
    for (let name = 0; name < 10_000; name++) expect(finish(name)).toBe(true)
    for (let name = 9900; name < 10_000; name++) expect(statusOf(name)).toBe('done')
  })

  test('one delivery after the other, none of them leaves anything behind', () => {
    const { finish } = open(100)
    const work = (from: number) => {
      for (let name = from; name < from + 100_000; name++) finish(name)
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = work(0)
    expect(work(100_000) - before).toBeLessThan(500_000)
  })
})

describe('what failed or was set aside', () => {
  const all = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

  test.each(['fail', 'setAside'] as const)(
    'takes no room from finished deliveries once its retention is over (%s)',
    async (end) => {
      const { clock, finish, statusOf, ...ends } = open(1000)
      for (const name of all(1000)) ends[end](name)
      await clock.advance(72 * HOUR)
      for (const name of all(1000, 1000)) finish(name)
      expect(all(1000, 1000).filter((name) => statusOf(name) === 'done')).toHaveLength(1000)
    },
  )

  test('goes when its own retention is over, whatever is kept before it for longer', async () => {
    const { clock, finish, setAside, statusOf } = open(110)
    for (const name of all(10)) setAside(name, 720 * HOUR)
    for (const name of all(90, 10)) setAside(name)
    await clock.advance(72 * HOUR)
    for (const name of all(90, 100)) finish(name)
    expect(all(90, 100).filter((name) => statusOf(name) === 'done')).toHaveLength(90)
    expect(all(10).filter((name) => statusOf(name) === 'done')).toHaveLength(10)
  })

  test('is known until its retention is over, however many others come and go', async () => {
    const { clock, claim, finish, fail, setAside, statusOf } = open(1000)
    fail(1)
    setAside(2)
    await clock.advance(72 * HOUR - 1)
    for (const name of all(100, 10)) finish(name)
    expect(claim(1).result).toMatchObject({ status: 'claimed', attempt: 2 })
    expect(statusOf(2)).toBe('done')
  })

  test('is not what is still being worked: a live claim is known to the end of its lease, whatever its retention', async () => {
    const { clock, claim, finish, statusOf } = open(1000)
    claim(1, 1)
    await clock.advance(54_999)
    for (const name of all(100, 10)) finish(name)
    expect(statusOf(1)).toBe('busy')
  })
})

test('it goes by its own clock', async () => {
  const { clock, claim, statusOf } = open(10)
  claim(1)
  clock.set(-HOUR)
  expect(statusOf(1)).toBe('busy')
  clock.set(55_000)
  expect(statusOf(1)).toBe('claimed')
})

test('a heartbeat that names no handlers adds none', () => {
  const { store, claim } = open(3)
  const { token } = claim(1)
  const key = keyOf(1)
  expect(store.renew({ key, token, leaseMs: 55_000 })).toBe(true)
  store.release({ key, token, completedHandlers: [], counted: true })
  expect(claim(1).result).toMatchObject({ completedHandlers: [] })
})

test.each([0, 1.5, 2 ** 24 + 1])('a cap of %s is refused, with the range', (maxKeys) => {
  expect(String(caught(() => memoryStore({ maxKeys })))).toContain(
    `maxKeys must be a whole number from 1 to 16777216; it is ${maxKeys}`,
  )
})

test('trap: completing keeps the retention, and never shortens it', async () => {
  const { clock, store, claim, statusOf } = open(10)
  const { token } = claim(1)
  await store.complete({ key: keyOf(1), token, retainUntil: 1 })
  await clock.advance(72 * HOUR - 1)
  expect(statusOf(1)).toBe('done')
  await clock.advance(1)
  expect(statusOf(1)).toBe('claimed')
})

test('a quarantined completion that names no handlers keeps those that were done before', () => {
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

test('trap: a late owner completes, renews and releases nothing of another’s claim', async () => {
  const { clock, store, claim, statusOf } = open(10)
  const late = claim(1)
  await clock.advance(55_000)
  const owner = claim(1)
  const of = ({ token }: typeof late) => ({ key: keyOf(1), token })
  expect(store.renew({ ...of(late), leaseMs: 55_000 })).toBe(false)
  expect(store.release({ ...of(late), completedHandlers: [], counted: true })).toBe(false)
  expect(store.complete({ ...of(late), retainUntil: HOUR })).toBe(false)
  expect(statusOf(1)).toBe('busy')
  expect(store.complete({ ...of(owner), retainUntil: HOUR })).toBe(true)
  expect(statusOf(1)).toBe('done')
})

it.each<unknown>([0, -1, 1.5, Number.NaN, Infinity, 2 ** 24 + 1, '10', null])(
  'maxKeys of %s: option_invalid',
  (maxKeys) => {
    expect(caught(() => memoryStore({ maxKeys: maxKeys as number }))).toMatchObject({ code: 'option_invalid' })
  },
)

it.each([1, 2 ** 24])('maxKeys of %i is taken', (maxKeys) => {
  expect(() => memoryStore({ maxKeys })).not.toThrow()
})
