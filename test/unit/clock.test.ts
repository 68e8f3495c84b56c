/** Time limits: whatever a piece of work does, its result is one of three. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline, systemClock, withTimeout } from '../../src/clock.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'

describe('work with a time limit', () => {
  test('that is done at once is not waited for', () => {
    const clock = fixedClock(0)
    expect(withTimeout(clock, 100, () => 'value')).toEqual({ status: 'value', value: 'value' })
    expect(
      withTimeout(clock, 100, () => {
        throw new Error('no')
      }),
    ).toEqual({ status: 'error', error: new Error('no') })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('that is done in time leaves no timer behind', async () => {
    const clock = fixedClock(0)
    expect(await withTimeout(clock, 100, () => Promise.resolve('value'))).toEqual({ status: 'value', value: 'value' })
    expect(await withTimeout(clock, 100, () => Promise.reject(new Error('no')))).toMatchObject({ status: 'error' })
    expect(clock.pendingTimers()).toBe(0)
  })

  it.each(['resolves', 'rejects'])('that %s later is late, and leaves no rejection behind', async (way) => {
    const clock = fixedClock(0)
    const { promise, resolve, reject } = deferred<string>()
    const settled = withTimeout(clock, 100, () => promise)
    await clock.advance(100)
    expect(await settled).toEqual({ status: 'late' })
    if (way === 'resolves') resolve('value')
    else reject(new Error('no'))
    await clock.advance(1)
  })

  it.each([0, -1])('is not begun when %d ms are left', (ms) => {
    expect(withTimeout(fixedClock(0), ms, () => expect.unreachable())).toEqual({ status: 'late' })
  })
})

describe('a deadline', () => {
  test('has as much left as has not passed', async () => {
    const clock = fixedClock(1000)
    const deadline = startDeadline(clock, 4500)
    expect([deadline.startedAt, deadline.left()]).toEqual([1000, 4500])
    await clock.advance(4000)
    expect(deadline.left()).toBe(500)
    await clock.advance(1000)
    expect(deadline.left()).toBe(-500)
  })

  test('has never more left than it began with, when the machine’s clock is set back', () => {
    const clock = fixedClock(1_000_000)
    const deadline = startDeadline(clock, 4500)
    clock.set(400_000)
    expect(deadline.left()).toBe(4500)
  })
})

test('the machine’s clock tells its time, and its timers can be cancelled', async () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
  const fired: string[] = []
  const cancel = systemClock.setTimer(0, () => fired.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => systemClock.setTimer(1, resolve))
  expect(fired).toEqual([])
})
