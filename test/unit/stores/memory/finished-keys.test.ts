/** The finished keys in typed arrays, against a plain list that does the same slowly. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createFinishedKeys } from '../../../../src/stores/memory/finished-keys.js'

const keyOf = (name: number | string) => createHash('sha256').update(String(name)).digest('hex')

/** Keys whose fingerprints share their home slot, so that probes run into each other. */
const crowded = (name: number) => `00000000${keyOf(name).slice(8)}`

/** The same as a list of entries in the order of finishing; an entry that was finished anew leaves its place empty. */
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
  // It grows at 1024 keys and at twice as many; where all crowd one slot, every step walks past all of them.
  { name: 'keys as they come', key: keyOf, many: 2500 },
  { name: 'keys that crowd one slot', key: crowded, many: 1100 },
])('$name', ({ key, many }) => {
  it('does what a list does, whatever is done to it', () => {
    const all = Array.from({ length: 25 }, (_, name) => key(name))
    fc.assert(
      fc.property(steps, (list) => {
        const [keys, model] = [createFinishedKeys(MAX_KEYS), createModel()]
        let now = 0
        for (const step of list) {
          if (step.do === 'pass') now += step.ms
          // A key is added anew only once it is over: until then nobody can claim it.
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

  it('remembers every key up to its capacity, growing as it is filled', () => {
    const all = Array.from({ length: many + 1 }, (_, name) => key(name))
    const keys = createFinishedKeys(many)
    for (const each of all.slice(0, many)) keys.add(each, 100, 'token')
    expect(all.filter((each) => keys.has(each, 99))).toEqual(all.slice(0, many))
    expect(keys.has(all[0] as string, 100)).toBe(false)
  })

  it('forgets the one finished longest ago when there is no room, and no other', () => {
    const keys = createFinishedKeys(100)
    for (let name = 0; name < 250; name++) {
      keys.makeRoom(99, 0)
      keys.add(key(name), 100, 'token')
    }
    const known = Array.from({ length: 250 }, (_, name) => name).filter((name) => keys.has(key(name), 0))
    expect(known).toEqual(Array.from({ length: 100 }, (_, index) => 150 + index))
  })
})

test('takes memory for the keys there are, not for those there may be', () => {
  const before = process.memoryUsage().arrayBuffers
  const keys = createFinishedKeys(1_000_000)
  for (let name = 0; name < 1025; name++) keys.add(keyOf(name), 100, 'token')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  expect(keys.has(keyOf(0), 0)).toBe(true)
})

test('making room says whether something was forgotten before its time', () => {
  const keys = createFinishedKeys(10)
  keys.add(keyOf('a'), 100, 'token')
  keys.add(keyOf('b'), 200, 'token')
  expect(keys.makeRoom(2, 0)).toBe(false)
  expect(keys.makeRoom(1, 100)).toBe(false)
  expect(keys.makeRoom(0, 100)).toBe(true)
  expect(keys.makeRoom(0, 100)).toBe(false)
})

test('a key that is over can be finished again', () => {
  const keys = createFinishedKeys(10)
  keys.add(keyOf('a'), 100, 'first')
  keys.add(keyOf('a'), 300, 'second')
  expect(keys.has(keyOf('a'), 200)).toBe(true)
  expect(keys.lastToken(keyOf('a'))).toBe('second')
})

test('a key that was finished again is still known when the set has grown', () => {
  const keys = createFinishedKeys(2000)
  keys.add(keyOf('a'), 100, 'first')
  keys.add(keyOf('a'), 300, 'second')
  for (let name = 0; name < 1500; name++) keys.add(keyOf(name), 300, 'token')
  expect(keys.has(keyOf('a'), 200)).toBe(true)
})

test('the token of a finished key is known while it is among the newest', () => {
  const keys = createFinishedKeys(1000)
  for (let name = 0; name < 300; name++) keys.add(keyOf(name), 100, `token ${name}`)
  expect(keys.lastToken(keyOf(299))).toBe('token 299')
  expect(keys.lastToken(keyOf(44))).toBe('token 44')
  expect(keys.lastToken(keyOf(43))).toBeUndefined()
})

test('32 of the 64 digits are what a key is known by', () => {
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
