/** Tests of `fixedClock`. */
import { describe, expect, it, test } from 'vitest'
import { fixedClock } from '../../../src/testing/index.js'
import { caught } from '../../support/caught.js'

test('a fixed clock stands still at its start', () => {
  expect(fixedClock(1000).now()).toBe(1000)
  expect(fixedClock('2025-01-29T12:00:00Z').now()).toBe(1_738_152_000_000)
  expect(Math.abs(fixedClock().now() - Date.now())).toBeLessThan(5000)
})

it.each<unknown>(['yesterday', '', Number.NaN, Infinity])('a fixed clock rejects %j as its start', (start) => {
  expect(caught(() => fixedClock(start as number))).toMatchObject({ code: 'option_invalid' })
})

describe('advance', () => {
  test('fires each timer at its own time, in order', async () => {
    const clock = fixedClock(0)
    const fired: [string, number][] = []
    const set = (name: string, ms: number) => clock.setTimer(ms, () => fired.push([name, clock.now()]))
    set('late', 30)
    set('early', 10)
    set('early too', 10)
    set('now', 0)
    set('past', -5)
    await clock.advance(20)
    expect(fired).toEqual([
      ['now', 0],
      ['past', 0],
      ['early', 10],
      ['early too', 10],
    ])
    expect([clock.now(), clock.pendingTimers()]).toEqual([20, 1])
    await clock.advance(10)
    expect(fired).toHaveLength(5)
  })

  test('fires a timer that another timer sets if it becomes due in the same step', async () => {
    const clock = fixedClock(0)
    const fired: number[] = []
    const again = () => {
      fired.push(clock.now())
      clock.setTimer(10, again)
    }
    clock.setTimer(10, again)
    await clock.advance(35)
    expect(fired).toEqual([10, 20, 30])
  })

  test('runs promise callbacks between two timers', async () => {
    const clock = fixedClock(0)
    const seen: string[] = []
    clock.setTimer(
      10,
      () =>
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => seen.push('settled')),
    )
    clock.setTimer(20, () => seen.push('second timer'))
    await clock.advance(20)
    expect(seen).toEqual(['settled', 'second timer'])
  })

  test('fires no canceled timer', async () => {
    const clock = fixedClock(0)
    const cancel = clock.setTimer(10, () => expect.unreachable())
    cancel()
    cancel()
    await clock.advance(20)
    expect(clock.pendingTimers()).toBe(0)
  })
})

test('setting the time fires no timer until the next advance', async () => {
  const clock = fixedClock(0)
  const fired: number[] = []
  clock.setTimer(10, () => fired.push(clock.now()))
  clock.set(1000)
  expect(fired).toEqual([])
  await clock.advance(0)
  expect(fired).toEqual([1000])
  clock.set(500)
  expect(clock.now()).toBe(500)
})
