/** The queue in front of Postgres: which operations form a group, their order, and what waits too long. */
import { expect, test } from 'vitest'
import { createQueue, type Operation } from '../../../../src/stores/postgres/operation-queue.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'

interface Request {
  readonly key: string
  readonly id: string
  readonly lease: number
}

type Queued = Operation<Request, unknown>

function start(options: { readonly maxGroup?: number; readonly hasFollowers?: boolean } = {}) {
  const clock = fixedClock()
  const rejected: string[] = []
  const abandoned: string[] = []
  const queue = createQueue<Request, unknown>({
    clock,
    maxGroup: options.maxGroup ?? 10,
    hasFollowers: options.hasFollowers ?? true,
    isCompatible: (first, other) => first.lease === other.lease,
    onAbandoned: ({ id }) => void abandoned.push(id),
  })
  const operation = (id: string, key = id, { waitMs = 1000, lease = 1 } = {}): Queued => ({
    request: { key, id, lease },
    queuedAt: clock.now(),
    deadline: clock.now() + waitMs,
    resolve: () => {},
    reject: (error) => void rejected.push(`${id} ${(error as { code?: string }).code ?? error}`),
    followers: [],
    failure: undefined,
    isPending: false,
  })
  const add = (...args: Parameters<typeof operation>) => queue.add(operation(...args))
  const take = (isAlone = false) => queue.take(isAlone)
  return { clock, queue, add, take, operation, rejected, abandoned }
}

const ids = (operations: readonly Queued[]) => operations.map(({ request }) => request.id)

test('takes operations in order of arrival, up to the size of a group', () => {
  const { add, take } = start({ maxGroup: 2 })
  for (const id of ['a', 'b', 'c']) add(id)
  expect([ids(take()), ids(take()), ids(take())]).toEqual([['a', 'b'], ['c'], []])
})

test('lets later operations of a key follow the first one', () => {
  const { add, take } = start({ maxGroup: 2 })
  for (const [id, key] of [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'a'],
    ['4', 'c'],
    ['5', 'a'],
  ])
    add(id as string, key)
  const group = take()
  expect(ids(group)).toEqual(['1', '2'])
  expect(ids(group[0]?.followers ?? [])).toEqual(['3', '5'])
})

test('keeps operations of a key apart and in order if they cannot follow', () => {
  const { queue, add, take } = start({ hasFollowers: false })
  for (const [id, key] of [
    ['1', 'a'],
    ['2', 'a'],
    ['3', 'b'],
    ['4', 'a'],
  ])
    add(id as string, key)
  const first = take()
  expect([ids(first), ids(take())]).toEqual([['1', '3'], []])
  queue.release(first)
  expect(ids(take())).toEqual(['2'])
})

test('groups only compatible operations, and no later one of their keys overtakes another', () => {
  const { queue, add, take } = start()
  add('1', 'a', { lease: 1 })
  add('2', 'b', { lease: 2 })
  add('3', 'b', { lease: 1 })
  const first = take()
  expect(ids(first)).toEqual(['1'])
  queue.release(first)
  expect(ids(take())).toEqual(['2'])
})

test('puts operations and their followers back to the front', () => {
  const { queue, add, take } = start()
  for (const [id, key] of [
    ['1', 'a'],
    ['2', 'a'],
    ['3', 'b'],
  ])
    add(id as string, key)
  const taken = take()
  add('4')
  queue.release(taken)
  queue.putBack(taken, false)
  const again = take()
  expect([ids(again), ids(again[0]?.followers ?? [])]).toEqual([['1', '3', '4'], ['2']])
})

test('runs operations alone, but not two of one key at once', () => {
  const { queue, take, operation } = start()
  queue.putBack([operation('1', 'a'), operation('2', 'a'), operation('3', 'b')], true)
  const first = take(true)
  expect([ids(first), ids(take(true)), ids(take(true))]).toEqual([['1'], ['3'], []])
  queue.release(first)
  expect(ids(take(true))).toEqual(['2'])
})

test('rejects what waits too long, each at its own time, with one timer', async () => {
  const { clock, add, queue, rejected } = start()
  add('slow', 'a', { waitMs: 3000 })
  add('quick', 'b', { waitMs: 1000 })
  expect(clock.pendingTimers()).toBe(1)
  await clock.advance(1000)
  expect(rejected).toEqual(['quick store_unavailable'])
  await clock.advance(2000)
  expect([rejected[1], queue.size(), clock.pendingTimers()]).toEqual(['slow store_unavailable', 0, 0])
})

test('calls it an overload only if other operations ended meanwhile', async () => {
  const { clock, add, queue, rejected } = start()
  add('a')
  await clock.advance(500)
  queue.noteProgress()
  add('b')
  await clock.advance(1000)
  expect(rejected).toEqual(['a overloaded', 'b store_unavailable'])
})

test('rejects with the last failure of the connection, and reports operations that may still be executed', async () => {
  const { clock, queue, add, take, rejected, abandoned } = start()
  add('1', 'a')
  add('2', 'b')
  const taken = take()
  for (const operation of taken) operation.failure = 'lost'
  if (taken[0]) taken[0].isPending = true
  queue.release(taken)
  queue.putBack(taken, false)
  await clock.advance(1000)
  expect([rejected, abandoned]).toEqual([['1 lost', '2 lost'], ['1']])
})
