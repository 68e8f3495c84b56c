/** Stage 7: what the receiver knows about a write, and how it writes again behind the answer. */
import { describe, expect, it, test } from 'vitest'
import { completeClaim, releaseClaim, retryInBackground } from '../../../src/delivery/completion.js'
import type { MaybePromise, Store } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'

type WebhookResponse = () => MaybePromise<boolean>

describe.each([
  {
    name: 'complete',
    write: (response: WebhookResponse, clock = fixedClock(0)) =>
      completeClaim({ complete: response } as unknown as Store, clock, 1000, { key: 'k', token: 't', retainUntil: 1 }),
  },
  {
    name: 'release',
    write: (response: WebhookResponse, clock = fixedClock(0)) =>
      releaseClaim({ release: response } as unknown as Store, clock, 1000, {
        key: 'k',
        token: 't',
        completedHandlers: [],
        counted: true,
      }),
  },
])('$name', ({ write }) => {
  it.each<[string, WebhookResponse, string]>([
    ['true', () => true, 'recorded'],
    ['true, later', () => Promise.resolve(true), 'recorded'],
    ['false', () => false, 'lost'],
    ['trap: something that is neither', () => ({ ok: 1 }) as unknown as boolean, 'unknown'],
    ['nothing', () => undefined as unknown as boolean, 'unknown'],
    [
      'a throw',
      () => {
        throw new Error('down')
      },
      'unknown',
    ],
    ['a rejection', () => Promise.reject(new Error('down')), 'unknown'],
  ])('%s', async (_, response, expected) => {
    expect(await write(response)).toBe(expected)
  })

  it('no answer in time: unknown', async () => {
    const clock = fixedClock(0)
    const written = write(() => new Promise(() => {}), clock)
    await clock.advance(1000)
    expect(await written).toBe('unknown')
  })
})

describe('writing again behind the answer', () => {
  function retry(results: readonly string[], giveUpAt: () => number = () => Infinity) {
    const clock = fixedClock(0)
    const times: number[] = []
    const result = retryInBackground({
      clock,
      attempt: async () => results[times.push(clock.now()) - 1] ?? 'unknown',
      isSettled: (each) => each !== 'unknown',
      giveUpAt,
    })
    return { clock, times, result }
  }

  test('goes on at growing intervals, at most 10 s apart, until a result ends it', async () => {
    const { clock, times, result } = retry([...Array(8).fill('unknown'), 'recorded'])
    await clock.advance(120_000)
    expect(times).toEqual([250, 750, 1750, 3750, 7750, 15_750, 25_750, 35_750, 45_750])
    expect(await result).toBe('recorded')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('is given up when the time is over, with the last result', async () => {
    const { clock, times, result } = retry([], () => 3000)
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750, 3750])
    expect(await result).toBe('unknown')
  })

  test('is given up in the very millisecond when the time is over', async () => {
    const { clock, times, result } = retry([], () => 1750)
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750])
    expect(await result).toBe('unknown')
  })

  test('asks anew before each pause how long it may go on', async () => {
    let until = Infinity
    const { clock, times, result } = retry([], () => until)
    await clock.advance(800)
    until = 1000
    await clock.advance(60_000)
    expect(times).toEqual([250, 750, 1750])
    expect(await result).toBe('unknown')
  })
})
