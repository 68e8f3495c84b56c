/** Time limits: a call with a limit has one of three results (a value, an error, or late). */
import { describe, expect, it, test } from 'vitest'
import { guardClock, runSoon, startDeadline, systemClock, withTimeout } from '../../src/clock.js'
import { fixedClock } from '../../src/testing/index.js'
import { activeTimers } from '../support/active-timers.js'
import { deferred } from '../support/deferred.js'

describe('a call with a time limit', () => {
  test('returns its result synchronously if the call is synchronous', () => {
    const clock = fixedClock(0)
    expect(withTimeout(clock, 100, () => 'value')).toEqual({ status: 'value', value: 'value' })
    expect(
      withTimeout(clock, 100, () => {
        throw new Error('no')
      }),
    ).toEqual({ status: 'error', error: new Error('no') })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('clears its timer if the call finishes in time', async () => {
    const clock = fixedClock(0)
    expect(await withTimeout(clock, 100, () => Promise.resolve('value'))).toEqual({ status: 'value', value: 'value' })
    expect(await withTimeout(clock, 100, () => Promise.reject(new Error('no')))).toMatchObject({ status: 'error' })
    expect(clock.pendingTimers()).toBe(0)
  })

  it.each(['resolves', 'rejects'])(
    'is late if the call %s after the limit, and leaves no unhandled rejection',
    async (way) => {
      const clock = fixedClock(0)
      const { promise, resolve, reject } = deferred<string>()
      const settled = withTimeout(clock, 100, () => promise)
      await clock.advance(100)
      expect(await settled).toEqual({ status: 'late' })
      if (way === 'resolves') resolve('value')
      else reject(new Error('no'))
      await clock.advance(1)
    },
  )

  it.each([0, -1])('does not start the call if %d ms are left', (ms) => {
    expect(withTimeout(fixedClock(0), ms, () => expect.unreachable())).toEqual({ status: 'late' })
  })
})

describe('a deadline', () => {
  test('counts down', async () => {
    const clock = fixedClock(1000)
    const deadline = startDeadline(clock, 4500)
    expect([deadline.startedAt, deadline.left()]).toEqual([1000, 4500])
    await clock.advance(4000)
    expect(deadline.left()).toBe(500)
    await clock.advance(1000)
    expect(deadline.left()).toBe(-500)
  })

  test('never has more time left than at its start, even if the machine’s clock is set back', () => {
    const clock = fixedClock(1_000_000)
    const deadline = startDeadline(clock, 4500)
    clock.set(400_000)
    expect(deadline.left()).toBe(4500)
  })
})

test('the system clock returns the machine’s time, and its timers can be canceled', async () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
  const fired: string[] = []
  const cancel = systemClock.setTimer(0, () => fired.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => systemClock.setTimer(1, resolve))
  expect(fired).toEqual([])
})

test('only an idle timer of the system clock lets the process end', () => {
  const before = activeTimers()
  const cancelIdle = systemClock.setTimer(60_000, () => {}, { isIdle: true })
  expect(activeTimers()).toBe(before)
  const cancel = systemClock.setTimer(60_000, () => {})
  expect(activeTimers()).toBe(before + 1)
  cancelIdle()
  cancel()
})

describe('a clock of the application that fails', () => {
  test('keeps the last duration if monotonicNow returns garbage', () => {
    const times: unknown[] = [5, Number.NaN, 'x', undefined, 7]
    const clock = guardClock({ ...fixedClock(0), monotonicNow: () => times.shift() as number })
    expect(Array.from({ length: 5 }, () => clock.monotonicNow?.())).toEqual([5, 5, 5, 5, 7])
  })

  test('gets its timers from the system if setTimer throws', async () => {
    const clock = guardClock({
      now: () => 0,
      setTimer() {
        throw new Error('no timers')
      },
    })
    await new Promise<void>((resolve) => clock.setTimer(1, resolve))
  })

  test('fires once if setTimer returns no function to cancel it', async () => {
    const inner = fixedClock(0)
    const clock = guardClock({ now: inner.now, setTimer: (ms, fn) => void inner.setTimer(ms, fn) as never })
    let fired = 0
    const before = activeTimers()
    const cancel = clock.setTimer(0, () => fired++)
    // The system has no second timer for it.
    expect(activeTimers()).toBe(before)
    await inner.advance(1)
    expect(fired).toBe(1)
    expect(cancel()).toBeUndefined()
  })
})

test('where there is no setImmediate, soon means a timer of 0 ms', async () => {
  const { setImmediate } = globalThis
  const clock = fixedClock(0)
  const called: string[] = []
  try {
    Object.assign(globalThis, { setImmediate: undefined })
    runSoon(clock, () => called.push('soon'))
  } finally {
    Object.assign(globalThis, { setImmediate })
  }
  expect([clock.nextTimerAt(), called]).toEqual([0, []])
  await clock.advance(0)
  expect(called).toEqual(['soon'])
})
