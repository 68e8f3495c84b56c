/** A clock of the application that throws or returns anything: every delivery still has its outcome. */
import { describe, expect, it, test } from 'vitest'
import { type Clock, type ErrorReport, memoryStore } from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { HOSTILE_VALUES, revokedProxy, throwValue } from '../support/hostile-values.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'
import { expectNothingUnhandled, watchUnhandled } from '../support/unhandled.js'

watchUnhandled()

describe('a clock', () => {
  type Play = (clock: FixedClock, call: keyof Clock) => Clock

  /** A handler that runs past the response and then fails, so that every kind of timer is used. */
  async function playWith(clock: FixedClock, hostile: Clock) {
    const store = memoryStore({ clock })
    const quarantine = memoryQuarantine()
    const reports: ErrorReport[] = []
    const onError = (report: ErrorReport) => void reports.push(report)
    const { receiver, outcomes } = receiving({ store, quarantine, onError, clock: hostile as FixedClock })
    let runs = 0
    receiver.on('qr.scanned', async () => {
      if (++runs > 1) return
      await pause(clock, 6 * SECOND)
      throw new Error('no database')
    })
    void receiver.receive(deliveryOf())
    await clock.advance(MINUTE)
    return { receiver, outcomes, quarantine, reports, store }
  }

  const CALLS = ['now', 'monotonicNow', 'setTimer'] as const

  /** Lets the nth call of a method act. */
  function actingAt(nth: number, method: (typeof CALLS)[number], act: () => unknown): Play {
    return (clock) => {
      let calls = 0
      const real: Clock = { now: clock.now, monotonicNow: clock.now, setTimer: clock.setTimer }
      const hostile = (...input: never[]) =>
        ++calls === nth ? act() : (real[method] as (...input: never[]) => unknown)(...input)
      return { ...real, [method]: hostile } as Clock
    }
  }

  describe.each(CALLS)('whose %s', (method) => {
    it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
      'throws at call %i: the delivery has its outcome',
      async (nth) => {
        const clock = fixedClock(EVENT_TIME)
        const play = actingAt(nth, method, () => throwValue(revokedProxy()))
        const { outcomes } = await playWith(clock, play(clock, method))
        expect(outcomes.length).toBeGreaterThan(0)
        const healthy = receiving({ clock, store: memoryStore({ clock }) })
        healthy.receiver.on('qr.scanned', () => {})
        expect((await healthy.deliver()).status).toBe('processed')
        await expectNothingUnhandled()
      },
    )

    it.each(HOSTILE_VALUES)('returns $name: the delivery has its outcome', async ({ make }) => {
      const clock = fixedClock(EVENT_TIME)
      const real: Clock = { now: clock.now, monotonicNow: clock.now, setTimer: clock.setTimer }
      const acting =
        method === 'setTimer'
          ? (ms: number, fn: () => void) => {
              clock.setTimer(ms, fn)
              return make()
            }
          : make
      const { outcomes } = await playWith(clock, { ...real, [method]: acting } as unknown as Clock)
      expect(outcomes.length).toBeGreaterThan(0)
      await expectNothingUnhandled()
    })
  })

  test('whose timers fire twice changes nothing', async () => {
    const clock = fixedClock(EVENT_TIME)
    const setTimer = (ms: number, fn: () => void) => {
      const cancels = [clock.setTimer(ms, fn), clock.setTimer(ms, fn)]
      return () => {
        for (const cancel of cancels) cancel()
      }
    }
    const { outcomes, quarantine, store } = await playWith(clock, { now: clock.now, setTimer })
    expect(outcomes[0]?.status).toBe('unfinished')
    expect([quarantine.codes, store.waiting?.()]).toEqual([[], undefined])
    await expectNothingUnhandled()
  })

  test('whose timers fire at once lets a delivery end', async () => {
    const clock = fixedClock(EVENT_TIME)
    const setTimer = (_ms: number, fn: () => void) => {
      queueMicrotask(fn)
      return () => {}
    }
    const { receiver, deliver } = receiving({ clock: { ...clock, setTimer } })
    receiver.on('qr.scanned', () => {})
    expect((await deliver()).status).toBe('processed')
  })
})
