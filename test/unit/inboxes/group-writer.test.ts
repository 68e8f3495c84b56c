/** The groups in which inboxes write to their engines. */
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.js'
import { createGroupWriter, type GroupWriterOptions } from '../../../src/inboxes/group-writer.js'
import { deferred } from '../../support/deferred.js'

/** A writer whose groups wait until they are let through. */
function setUp({
  sizeOf = () => 0,
  isCausedByItem = () => true,
}: Partial<Pick<GroupWriterOptions<string>, 'sizeOf' | 'isCausedByItem'>> = {}) {
  const groups: { readonly items: readonly string[]; resolve(): void; reject(error: unknown): void }[] = []
  const writer = createGroupWriter<string>({
    writeGroup(items) {
      const { promise, resolve, reject } = deferred()
      groups.push({ items, resolve: () => resolve(), reject })
      return promise
    },
    sizeOf,
    isCausedByItem,
    clock: systemClock,
  })
  return { writer, groups }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const names = (count: number, prefix = 'item') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

test('the items of a turn are written in groups of at most 100, of which two are in flight', async () => {
  const { writer, groups } = setUp()
  const written = Promise.all(names(250).map((name) => writer.write(name)))
  await nextTurn()
  expect(groups.map(({ items }) => items.length)).toEqual([100, 100])
  groups[0]?.resolve()
  await nextTurn()
  await nextTurn()
  expect(groups.map(({ items }) => items.length)).toEqual([100, 100, 50])
  for (const { resolve } of groups) resolve()
  await written
  expect(groups.flatMap(({ items }) => items)).toEqual(names(250))
})

test('a group has at most 4 MiB, unless one item is larger', async () => {
  const { writer, groups } = setUp({ sizeOf: (name) => (name === 'huge' ? 5 : 2) * 2 ** 20 })
  const written = Promise.all(['a', 'b', 'c', 'huge'].map((name) => writer.write(name)))
  for (let index = 0; index < 3; index++) {
    await nextTurn()
    await nextTurn()
    groups[index]?.resolve()
  }
  await written
  expect(groups.map(({ items }) => items)).toEqual([['a', 'b'], ['c'], ['huge']])
})

test('an item that fails its group gets its error, and every other item its result', async () => {
  const { writer, groups } = setUp()
  const results = Promise.allSettled(['good', 'bad', 'fine'].map((name) => writer.write(name)))
  await nextTurn()
  groups[0]?.reject(new Error('one of them'))
  await nextTurn()
  expect(groups.slice(1).map(({ items }) => items)).toEqual([['good'], ['bad'], ['fine']])
  for (const { items, resolve, reject } of groups.slice(1)) items[0] === 'bad' ? reject(new Error('bad')) : resolve()
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('an error of the engine itself rejects the whole group', async () => {
  const { writer, groups } = setUp({ isCausedByItem: () => false })
  const results = Promise.allSettled(['a', 'b'].map((name) => writer.write(name)))
  await nextTurn()
  groups[0]?.reject(new Error('no connection'))
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(groups).toHaveLength(1)
})

test('an abandoned item is never written', async () => {
  const { writer, groups } = setUp()
  void writer.write('abandoned')
  const written = writer.write('wanted')
  writer.abandon('abandoned')
  await nextTurn()
  expect(groups.map(({ items }) => items)).toEqual([['wanted']])
  groups[0]?.resolve()
  await written
})
