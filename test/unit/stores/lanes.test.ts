/** The lanes that the stores take their groups from. */
import { describe, expect, test } from 'vitest'
import { createLanes, type Waiting } from '../../../src/stores/lanes.js'

interface Item extends Waiting {
  readonly name: string
}

const item = (name: string, changes: Partial<Waiting> = {}): Item => ({
  name,
  isUrgent: false,
  isAlone: false,
  deadline: 1000,
  ...changes,
})
const namesOf = (items: readonly Item[]) => items.map(({ name }) => name)

function lanesOf(...items: readonly Item[]) {
  const lanes = createLanes<Item>()
  for (const each of items) lanes.add(each)
  return lanes
}

describe('a group', () => {
  test('has at most the given number of operations, in order of arrival', () => {
    const lanes = lanesOf(...Array.from({ length: 5 }, (_, index) => item(String(index))))
    expect([namesOf(lanes.takeGroup(3)), namesOf(lanes.takeGroup(3)), namesOf(lanes.takeGroup(3))]).toEqual([
      ['0', '1', '2'],
      ['3', '4'],
      [],
    ])
  })

  test('starts with the urgent operations, and is filled with the others', () => {
    const lanes = lanesOf(item('a'), item('b', { isUrgent: true }), item('c'), item('d', { isUrgent: true }))
    expect([namesOf(lanes.takeGroup(3)), lanes.count()]).toEqual([['b', 'd', 'a'], 1])
  })

  test('ends before an operation that runs alone, which is then taken by itself', () => {
    const lanes = lanesOf(item('a'), item('b', { isAlone: true }), item('c'))
    expect([1, 2, 3].map(() => namesOf(lanes.takeGroup(256)))).toEqual([['a'], ['b'], ['c']])
  })

  test('has no other operations while an urgent one has to run alone first', () => {
    const lanes = lanesOf(item('a'), item('b', { isUrgent: true }), item('c', { isUrgent: true, isAlone: true }))
    expect([1, 2, 3].map(() => namesOf(lanes.takeGroup(256)))).toEqual([['b'], ['c'], ['a']])
  })

  test('that is put back comes first again, in its order', () => {
    const lanes = lanesOf(item('a'), item('b', { isUrgent: true }), item('c'), item('d'))
    const group = lanes.takeGroup(3)
    lanes.add(item('e', { isUrgent: true }))
    lanes.putBack(group)
    expect(namesOf(lanes.takeGroup(256))).toEqual(['b', 'e', 'a', 'c', 'd'])
  })
})

describe('operations that have waited too long', () => {
  test('are taken out, and the next deadline belongs to the others', () => {
    const lanes = lanesOf(
      item('a', { deadline: 10 }),
      item('b', { isUrgent: true, deadline: 20 }),
      item('c', { deadline: 30 }),
    )
    expect(lanes.nextDeadline()).toBe(10)
    expect(lanes.takeExpired(9)).toEqual([])
    expect(namesOf(lanes.takeExpired(20))).toEqual(['b', 'a'])
    expect([lanes.nextDeadline(), namesOf(lanes.takeAll()), lanes.count()]).toEqual([30, ['c'], 0])
    expect(lanes.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })
})
