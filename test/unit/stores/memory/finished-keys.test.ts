/** Compares the finished keys in typed arrays with a simple list that does the same more slowly. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createFinishedKeys } from '../../../../src/stores/memory/finished-keys.js'

const keyOf = (name: number | string) => createHash('sha256').update(String(name)).digest('hex')

/** Keys whose fingerprints share a home slot, so that their probes collide. */
const crowdedKeyOf = (name: number) => `00000000${keyOf(name).slice(8)}`

/** The model: a list of entries in the order of completion. A key that finishes again leaves its old place empty. */
function createModel() {
  const entries: { key: string | undefined; readonly until: number }[] = []
  return {
    has: (key: string, now: number) => entries.some((entry) => entry.key === key && entry.until > now),
    add(key: string, until: number) {
      for (const entry of entries) if (entry.key === key) entry.key = undefined
      entries.push({ key, until })
    },
    makeRoom(room: number, now: number) {
      const leaving = entries.splice(0, Math.max(0, entries.length - room))
      return leaving.some(({ key, until }) => key !== undefined && until > now)
    },
  }
}

const MAX_KEYS = 16

type Step =
  | { readonly do: 'add'; readonly name: number; readonly forMs: number }
  | { readonly do: 'room'; readonly room: number }
  | { readonly do: 'pass'; readonly ms: number }

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), name: fc.nat(24), forMs: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ do: fc.constant('room' as const), room: fc.nat(16) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(50) }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 200, size: 'max' },
)

describe.each([
  // The arrays grow at 1,024 and 2,048 keys. With one shared slot, every operation probes all keys, so fewer are used.
  { name: 'evenly distributed keys', key: keyOf, many: 2500 },
  { name: 'keys that share one slot', key: crowdedKeyOf, many: 1100 },
])('$name', ({ key, many }) => {
  it('behaves like a list under random operations', () => {
    const all = Array.from({ length: 25 }, (_, name) => key(name))
    fc.assert(
      fc.property(steps, (list) => {
        const [keys, model] = [createFinishedKeys(MAX_KEYS), createModel()]
        let now = 0
        for (const step of list) {
          if (step.do === 'pass') now += step.ms
          // A key is added again only after it expires, because it can't be claimed before.
          const added = step.do === 'add' ? (all[step.name] as string) : ''
          const isAdded = step.do === 'add' && !model.has(added, now)
          const room = step.do === 'room' ? step.room : isAdded ? MAX_KEYS - 1 : MAX_KEYS
          expect(keys.makeRoom(room, now)).toBe(model.makeRoom(room, now))
          if (isAdded) {
            keys.add(added, now + step.forMs, 'token')
            model.add(added, now + step.forMs)
          }
          const known = (set: { has(key: string, now: number): boolean }) => all.filter((each) => set.has(each, now))
          expect(known(keys)).toEqual(known(model))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('keeps every key up to its capacity and grows while it fills', () => {
    const all = Array.from({ length: many + 1 }, (_, name) => key(name))
    const keys = createFinishedKeys(many)
    for (const each of all.slice(0, many)) keys.add(each, 100, 'token')
    expect(all.filter((each) => keys.has(each, 99))).toEqual(all.slice(0, many))
    expect(keys.has(all[0] as string, 100)).toBe(false)
  })

  it('evicts only the oldest key when it is full', () => {
    const keys = createFinishedKeys(100)
    for (let name = 0; name < 250; name++) {
      keys.makeRoom(99, 0)
      keys.add(key(name), 100, 'token')
    }
    const known = Array.from({ length: 250 }, (_, name) => name).filter((name) => keys.has(key(name), 0))
    expect(known).toEqual(Array.from({ length: 100 }, (_, index) => 150 + index))
  })
})

test('allocates memory for the actual keys, not for the maximum', () => {
  const before = process.memoryUsage().arrayBuffers
  const keys = createFinishedKeys(1_000_000)
  for (let name = 0; name < 1025; name++) keys.add(keyOf(name), 100, 'token')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  expect(keys.has(keyOf(0), 0)).toBe(true)
})

test('making room returns whether an unexpired key was evicted', () => {
  const keys = createFinishedKeys(10)
  keys.add(keyOf('a'), 100, 'token')
  keys.add(keyOf('b'), 200, 'token')
  expect(keys.makeRoom(2, 0)).toBe(false)
  expect(keys.makeRoom(1, 100)).toBe(false)
  expect(keys.makeRoom(0, 100)).toBe(true)
  expect(keys.makeRoom(0, 100)).toBe(false)
})

test('an expired key can finish again', () => {
  const keys = createFinishedKeys(10)
  keys.add(keyOf('a'), 100, 'first')
  keys.add(keyOf('a'), 300, 'second')
  expect(keys.has(keyOf('a'), 200)).toBe(true)
  expect(keys.lastToken(keyOf('a'))).toBe('second')
})

test('a key that finished again is still in the set after it grows', () => {
  const keys = createFinishedKeys(2000)
  keys.add(keyOf('a'), 100, 'first')
  keys.add(keyOf('a'), 300, 'second')
  for (let name = 0; name < 1500; name++) keys.add(keyOf(name), 300, 'token')
  expect(keys.has(keyOf('a'), 200)).toBe(true)
})

test('the token of a key is available for the newest 256 keys', () => {
  const keys = createFinishedKeys(1000)
  for (let name = 0; name < 300; name++) keys.add(keyOf(name), 100, `token ${name}`)
  expect(keys.lastToken(keyOf(299))).toBe('token 299')
  expect(keys.lastToken(keyOf(44))).toBe('token 44')
  expect(keys.lastToken(keyOf(43))).toBeUndefined()
})

test('the first 32 of 64 digits identify a key', () => {
  const keys = createFinishedKeys(10)
  keys.add(`${'a'.repeat(32)}${'0'.repeat(32)}`, 100, 'token')
  expect(keys.has(`${'a'.repeat(32)}${'f'.repeat(32)}`, 0)).toBe(true)
  for (let digit = 0; digit < 32; digit++) {
    for (const other of '0123456789bcdef') {
      const near = [...'a'.repeat(32)]
      near[digit] = other
      expect(keys.has(`${near.join('')}${'0'.repeat(32)}`, 0), `digit ${digit}: ${other}`).toBe(false)
    }
  }
})
