/** Stage 6: handlers run in order, failures are collected, and finished handlers are remembered. */
import { describe, expect, it, test } from 'vitest'
import { type DispatchResult, dispatch, joinErrors } from '../../../src/delivery/dispatch.js'
import { PermanentError } from '../../../src/index.js'
import type { RegisteredHandler } from '../../../src/receiver/handlers.js'

type NamedHandler = readonly [name: string | undefined, run: () => unknown]

interface RunOptions {
  readonly handlers: readonly NamedHandler[]
  readonly finished?: readonly string[]
  readonly signal?: AbortSignal
}

function start({ handlers, finished = [], signal = new AbortController().signal }: RunOptions) {
  const completedHandlers = [...finished]
  const checkpoints: (string | undefined)[] = []
  /** The completed handlers at each call of `onCheckpoint`. */
  const saved: string[][] = []
  const result = dispatch({
    event: { event: 'qr.scanned' },
    handlers: handlers.map(([name, run]): RegisteredHandler => ({ name, run })),
    completedHandlers,
    signal,
    contextFor: (checkpoint) => checkpoints.push(checkpoint),
    onCheckpoint: () => void saved.push([...completedHandlers]),
  })
  return { result, completedHandlers, checkpoints, saved }
}

async function run(options: RunOptions) {
  const started = start(options)
  return { ...started, result: await started.result }
}

const nothing = () => {}
const failWith = (error: unknown) => () => {
  throw error
}

/** An event's only handler takes a synchronous path of its own, so most cases run on both paths. */
const PATHS = [
  { path: 'an event’s only handler', others: [] },
  { path: 'a handler among others', others: [[undefined, nothing] as NamedHandler] },
]

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

test('an event without handlers has no failure', async () => {
  expect((await run({ handlers: [] })).result).toEqual({ errors: [], isPermanent: false })
})

test('an event’s only handler has its result synchronously if it is synchronous', () => {
  const noFailure: DispatchResult = { errors: [], isPermanent: false }
  const error = new Error('no database')
  expect(start({ handlers: [['a', nothing]] }).result).toEqual(noFailure)
  expect(start({ handlers: [['a', nothing]], finished: ['a'] }).result).toEqual(noFailure)
  expect(start({ handlers: [['a', failWith(error)]] }).result).toEqual({ errors: [error], isPermanent: false })
})

describe.each(PATHS)('$path', ({ others }) => {
  it('receives the event and its context', async () => {
    const received: unknown[] = []
    const handler: RegisteredHandler = { name: 'a', run: (event, context) => void received.push(event, context) }
    await dispatch({
      event: 'the event',
      handlers: [handler, ...others.map(([name, run]): RegisteredHandler => ({ name, run }))],
      completedHandlers: [],
      signal: new AbortController().signal,
      contextFor: (checkpoint) => `context of ${checkpoint}`,
      onCheckpoint: nothing,
    })
    expect(received).toEqual(['the event', 'context of a'])
  })

  it.each([
    ['a promise', () => Promise.resolve()],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is the point of this case
    ['a thenable', () => ({ then: (resolve: () => void) => setImmediate(resolve) })],
    ['a value', () => 12],
  ])('is finished once it returned %s', async (_, returns) => {
    const { result, completedHandlers } = await run({ handlers: [['a', returns], ...others] })
    expect(result).toEqual({ errors: [], isPermanent: false })
    expect(completedHandlers).toEqual(['a'])
  })

  it('isn’t finished before its promise has resolved', async () => {
    let finish = () => {}
    const { result, completedHandlers } = start({
      handlers: [['a', () => new Promise<void>((resolve) => (finish = resolve))], ...others],
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(completedHandlers).toEqual([])
    finish()
    await result
    expect(completedHandlers).toEqual(['a'])
  })

  it.each([
    ['throws', failWith(new Error('no database'))],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('fails and isn’t finished if it %s', async (_, fails) => {
    const { result, completedHandlers } = await run({ handlers: [['a', fails], ...others] })
    expect(result).toEqual({ errors: [new Error('no database')], isPermanent: false })
    expect(completedHandlers).toEqual([])
  })

  it.each<unknown>([undefined, null, 'text', 0])('fails if it throws %j', async (error) => {
    const { result } = await run({ handlers: [[undefined, failWith(error)], ...others] })
    expect(result).toEqual({ errors: [error], isPermanent: false })
  })

  it.each<unknown>([undefined, null, 'text', 0])('fails if it rejects with %j', async (error) => {
    const { result } = await run({ handlers: [[undefined, () => Promise.reject(error)], ...others] })
    expect(result).toEqual({ errors: [error], isPermanent: false })
  })

  it('fails permanently if it throws or rejects with a PermanentError', async () => {
    const never = new PermanentError('no such customer')
    for (const fails of [failWith(never), () => Promise.reject(never)]) {
      const { result } = await run({ handlers: [[undefined, fails], ...others] })
      expect(result).toEqual({ errors: [never], isPermanent: true })
    }
  })

  it('isn’t run again if an earlier attempt finished it', async () => {
    const { result, completedHandlers } = await run({
      handlers: [['a', () => expect.unreachable()], ...others],
      finished: ['a'],
    })
    expect(result.errors).toEqual([])
    expect(completedHandlers).toEqual(['a'])
  })

  it('is listed as finished once, even if its transaction has already listed it', async () => {
    const completedHandlers: string[] = []
    await dispatch({
      event: {},
      handlers: [
        { name: 'a', run: () => void completedHandlers.push('a') },
        ...others.map(([name, run]) => ({ name, run })),
      ],
      completedHandlers,
      signal: new AbortController().signal,
      contextFor: () => undefined,
      onCheckpoint: nothing,
    })
    expect(completedHandlers).toEqual(['a'])
  })
})

describe('a failing handler', () => {
  it.each([
    ['throws', failWith(new Error('no database'))],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('that %s doesn’t stop the others', async (_, fails) => {
    const { result, completedHandlers } = await run({
      handlers: [
        ['a', fails],
        ['b', nothing],
      ],
    })
    expect(result).toEqual({ errors: [new Error('no database')], isPermanent: false })
    expect(completedHandlers).toEqual(['b'])
  })

  it('fails the attempt permanently only if every failure is a PermanentError', async () => {
    const never = new PermanentError('never')
    const later = new Error('later')
    const resultOf = async (...errors: unknown[]) =>
      (await run({ handlers: errors.map((error) => [undefined, failWith(error)]) })).result
    expect(await resultOf(never)).toEqual({ errors: [never], isPermanent: true })
    expect(await resultOf(never, never)).toEqual({ errors: [never, never], isPermanent: true })
    expect(await resultOf(never, later)).toEqual({ errors: [never, later], isPermanent: false })
    expect(await resultOf(later, never)).toEqual({ errors: [later, never], isPermanent: false })
  })
})

describe('checkpoints', () => {
  test('a finished handler with a name isn’t run again; a handler without a name is', async () => {
    const seen: string[] = []
    const handlers = [
      ['a', () => seen.push('a')],
      [undefined, () => seen.push('unnamed')],
      ['b', () => seen.push('b')],
    ] as const
    const { completedHandlers } = await run({ handlers, finished: ['a'] })
    expect(seen).toEqual(['unnamed', 'b'])
    expect(completedHandlers).toEqual(['a', 'b'])
  })

  it.each<[string, RunOptions['handlers'], readonly (readonly string[])[]]>([
    [
      'after each named handler but the last',
      [
        ['a', nothing],
        ['b', nothing],
        ['c', nothing],
      ],
      [['a'], ['a', 'b']],
    ],
    ['never for an event’s only handler', [['a', nothing]], []],
    [
      'never for handlers without a name',
      [
        [undefined, nothing],
        [undefined, nothing],
      ],
      [],
    ],
  ])('are saved %s', async (_, handlers, saved) => {
    expect((await run({ handlers })).saved).toEqual(saved)
  })

  test('have the handler’s name; without a name, only an event’s only handler has a checkpoint', async () => {
    const two = await run({
      handlers: [
        ['a', nothing],
        [undefined, nothing],
      ],
    })
    expect(two.checkpoints).toEqual(['a', undefined])
    expect((await run({ handlers: [[undefined, nothing]] })).checkpoints).toEqual(['(only)'])
  })

  test('an event’s only handler isn’t run again if its transaction was committed', async () => {
    const { result } = await run({ handlers: [[undefined, () => expect.unreachable()]], finished: ['(only)'] })
    expect(result.errors).toEqual([])
  })
})

describe('an abandoned attempt', () => {
  const lost = new Error('lease lost')

  test('starts no further handler and fails with the reason', async () => {
    const controller = new AbortController()
    const { result, completedHandlers } = await run({
      handlers: [
        ['a', () => controller.abort(lost)],
        ['b', () => expect.unreachable()],
        ['c', () => expect.unreachable()],
      ],
      signal: controller.signal,
    })
    expect(result).toEqual({ errors: [lost], isPermanent: false })
    expect(completedHandlers).toEqual(['a'])
  })

  test('hasn’t failed if it was abandoned during its last handler, because every handler has finished', async () => {
    for (const finished of [[], ['a']] as const) {
      const controller = new AbortController()
      const handlers: NamedHandler[] = [
        ['a', nothing],
        ['b', () => controller.abort(lost)],
      ]
      const { result } = await run({ handlers, finished, signal: controller.signal })
      expect(result.errors).toEqual([])
    }
    const controller = new AbortController()
    const { result } = await run({ handlers: [['a', () => controller.abort(lost)]], signal: controller.signal })
    expect(result.errors).toEqual([])
  })

  describe.each(PATHS)('before $path', ({ others }) => {
    const signal = AbortSignal.abort(lost)

    test('doesn’t run it and fails with the reason', async () => {
      const { result, completedHandlers } = await run({
        handlers: [['a', () => expect.unreachable()], ...others],
        signal,
      })
      expect(result).toEqual({ errors: [lost], isPermanent: false })
      expect(completedHandlers).toEqual([])
    })

    test('hasn’t failed if every handler had already finished', async () => {
      const handlers: NamedHandler[] = [['a', nothing], ...others.map(([, run]): NamedHandler => ['b', run])]
      const { result } = await run({ handlers, finished: ['a', 'b'], signal })
      expect(result.errors).toEqual([])
    })
  })
})

test('a single error stays itself, several errors are joined', () => {
  const error = new Error('one')
  expect(joinErrors([error])).toBe(error)
  expect(joinErrors([error, 'two'])).toMatchObject({ message: '2 handlers failed', errors: [error, 'two'] })
})
