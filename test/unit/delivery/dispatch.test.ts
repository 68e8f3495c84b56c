/** Stage 6: handlers run in order, failures are collected, and what is done is remembered. */
import { describe, expect, it, test } from 'vitest'
import { dispatch, joinErrors, type RegisteredHandler } from '../../../src/delivery/dispatch.js'
import { PermanentError } from '../../../src/index.js'

interface Given {
  readonly handlers: readonly (readonly [name: string | undefined, run: () => unknown])[]
  readonly done?: readonly string[]
  readonly abandonedBecause?: () => unknown
}

async function run({ handlers, done = [], abandonedBecause = () => undefined }: Given) {
  const completedHandlers = [...done]
  const checkpoints: (string | undefined)[] = []
  let told = 0
  const result = await dispatch({
    event: { event: 'qr.scanned' },
    handlers: handlers.map(([name, call]): RegisteredHandler => ({ name, run: call })),
    completedHandlers,
    contextFor: (checkpoint) => checkpoints.push(checkpoint),
    onCheckpoint: () => void told++,
    abandonedBecause,
  })
  return { result, completedHandlers: [...completedHandlers], checkpoints, told }
}

const fails = (error: unknown) => () => {
  throw error
}

test('handlers run one after the other, in order of registration', async () => {
  const seen: string[] = []
  const slow = async () => {
    await Promise.resolve()
    seen.push('slow')
  }
  await run({
    handlers: [
      [undefined, slow],
      ['b', () => seen.push('b')],
      [undefined, () => seen.push('c')],
    ],
  })
  expect(seen).toEqual(['slow', 'b', 'c'])
})

test('each is given the event and its context', async () => {
  const given: unknown[] = []
  const handler: RegisteredHandler = { name: 'only', run: (event, context) => given.push(event, context) }
  await dispatch({
    event: 'the event',
    handlers: [handler],
    completedHandlers: [],
    contextFor: (checkpoint) => `context of ${checkpoint}`,
    onCheckpoint() {},
    abandonedBecause: () => undefined,
  })
  expect(given).toEqual(['the event', 'context of only'])
})

test('handlers that are all synchronous have their result at hand', () => {
  const result = dispatch({
    event: {},
    handlers: [{ name: 'a', run: () => {} }],
    completedHandlers: [],
    contextFor: () => undefined,
    onCheckpoint() {},
    abandonedBecause: () => undefined,
  })
  expect(result).toEqual({ errors: [], permanent: false })
})

describe('a handler that fails', () => {
  it.each([
    ['throws', fails(new Error('no'))],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('%s: does not stop the others, and is not done', async (_, broken) => {
    const { result, completedHandlers } = await run({
      handlers: [
        ['a', broken],
        ['b', () => {}],
      ],
    })
    expect(result).toEqual({ errors: [new Error('no')], permanent: false })
    expect(completedHandlers).toEqual(['b'])
  })

  it.each<unknown>([undefined, null, 'text', 0])('with %j fails all the same', async (error) => {
    expect((await run({ handlers: [[undefined, fails(error)]] })).result).toEqual({ errors: [error], permanent: false })
  })

  it('fails for good only when every failure is a PermanentError', async () => {
    const never = new PermanentError('never')
    const later = new Error('later')
    const of = async (...errors: unknown[]) =>
      (await run({ handlers: errors.map((error) => [undefined, fails(error)]) })).result
    expect(await of(never)).toEqual({ errors: [never], permanent: true })
    expect(await of(never, never)).toMatchObject({ permanent: true })
    expect(await of(never, later)).toEqual({ errors: [never, later], permanent: false })
  })
})

describe('checkpoints', () => {
  test('a named handler that is done is not run again; one without a name is', async () => {
    const seen: string[] = []
    const handlers = [
      ['a', () => seen.push('a')],
      [undefined, () => seen.push('unnamed')],
      ['b', () => seen.push('b')],
    ] as const
    const { completedHandlers } = await run({ handlers, done: ['a'] })
    expect(seen).toEqual(['unnamed', 'b'])
    expect(completedHandlers).toEqual(['a', 'b'])
  })

  test('name a handler once, though its transaction may have noted it already', async () => {
    const completedHandlers: string[] = []
    await dispatch({
      event: {},
      handlers: [{ name: 'a', run: () => void completedHandlers.push('a') }],
      completedHandlers,
      contextFor: () => undefined,
      onCheckpoint() {},
      abandonedBecause: () => undefined,
    })
    expect(completedHandlers).toEqual(['a'])
  })

  test('are told while others are still to run, and not for the last', async () => {
    const nothing = () => {}
    expect(
      (
        await run({
          handlers: [
            ['a', nothing],
            ['b', nothing],
            ['c', nothing],
          ],
        })
      ).told,
    ).toBe(2)
    expect((await run({ handlers: [['a', nothing]] })).told).toBe(0)
    expect(
      (
        await run({
          handlers: [
            [undefined, nothing],
            [undefined, nothing],
          ],
        })
      ).told,
    ).toBe(0)
  })

  test('have the handler’s name; without one only an event’s only handler has one', async () => {
    const nothing = () => {}
    expect(
      (
        await run({
          handlers: [
            ['a', nothing],
            [undefined, nothing],
          ],
        })
      ).checkpoints,
    ).toEqual(['a', undefined])
    expect((await run({ handlers: [[undefined, nothing]] })).checkpoints).toEqual(['(only)'])
  })

  test('an only handler whose transaction committed is not run again', async () => {
    const { result } = await run({ handlers: [[undefined, () => expect.unreachable()]], done: ['(only)'] })
    expect(result.errors).toEqual([])
  })
})

describe('a run that was given up', () => {
  test('starts no further handler, and has failed for that reason', async () => {
    const lost = new Error('lease lost')
    const reasons: unknown[] = []
    const handlers = [
      ['a', () => reasons.push(lost)],
      ['b', () => expect.unreachable()],
    ] as const
    const { result, completedHandlers } = await run({ handlers, abandonedBecause: () => reasons[0] })
    expect(result).toEqual({ errors: [lost], permanent: false })
    expect(completedHandlers).toEqual(['a'])
  })

  test('during its last handler has not failed: everything is done', async () => {
    const reasons: unknown[] = []
    const handlers = [['a', () => reasons.push(new Error('closing'))]] as const
    expect((await run({ handlers, abandonedBecause: () => reasons[0] })).result.errors).toEqual([])
  })

  test('before what is done already has not failed either', async () => {
    const handlers = [['a', () => expect.unreachable()]] as const
    const { result } = await run({ handlers, done: ['a'], abandonedBecause: () => new Error('closing') })
    expect(result.errors).toEqual([])
  })
})

test('one error is itself, several are joined', () => {
  const error = new Error('one')
  expect(joinErrors([error])).toBe(error)
  expect(joinErrors([error, 'two'])).toMatchObject({ message: '2 handlers failed', errors: [error, 'two'] })
})
