/** The attempt budget: which attempt is the last, when a failing delivery is quarantined early, and how much time a call may take. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline } from '../../../src/clock.js'
import { callTimeLeft, isKeptEarly, isLastAttempt, reserveMs } from '../../../src/delivery/attempt-budget.js'
import type { Origin } from '../../../src/delivery/verified-event.js'
import type { QuarantineSink } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { testServices, verifiedEvent } from '../../support/delivery-fixtures.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const NOW = 1_000_000_000
const HAS_QUARANTINE = { quarantine: async () => {} }

interface BudgetOptions {
  /** The age of the event; `undefined` if its timestamp isn't readable. */
  readonly ageMs?: number | undefined
  readonly origin?: Origin
  readonly quarantine?: QuarantineSink
  readonly hasStore?: boolean
  /** How long this receiver has been processing deliveries. */
  readonly receiverAgeMs?: number
  readonly deadlineMs?: number
}

function budgetOf(options: BudgetOptions) {
  const { ageMs, origin = { from: 'sender' }, quarantine, hasStore = true, receiverAgeMs = 0, deadlineMs } = options
  const services = testServices({
    clock: fixedClock(NOW),
    firstDeliveryAt: () => NOW - receiverAgeMs,
    ...(quarantine && { quarantine }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  })
  const { settings } = services
  const epochMs = ageMs === undefined ? undefined : NOW - ageMs
  const deadline = startDeadline(services.clock, settings.deadlineMs)
  return {
    services: { ...services, settings: { ...settings, hasStore } },
    event: verifiedEvent(services, { epochMs, origin, deadline }),
  }
}

const inboxAttempt = (last: boolean): Origin => ({ from: 'inbox', attempt: { number: 1, last }, receivedAt: 0 })

describe('the last attempt', () => {
  const isLast = (attempt: number, options: BudgetOptions) => {
    const { services, event } = budgetOf(options)
    return isLastAttempt(services, event, attempt)
  }

  it.each<[string, number, BudgetOptions, boolean]>([
    ['is the fifth', 5, {}, true],
    ['isn’t the fourth', 4, {}, false],
    ['is any attempt from the quarantine', 1, { origin: { from: 'quarantine' } }, true],
    ['is the attempt that the inbox calls the last', 1, { origin: inboxAttempt(true) }, true],
    ['isn’t the fifth if the inbox says that another attempt follows', 5, { origin: inboxAttempt(false) }, false],
    ['isn’t a first attempt of unknown age', 1, { ...HAS_QUARANTINE, ageMs: undefined }, false],
  ])('%s', (_, attempt, options, expected) => {
    expect(isLast(attempt, options)).toBe(expected)
  })

  describe('with a quarantine', () => {
    it.each([
      ['isn’t one after exactly 45 minutes', 45 * MINUTE, false],
      ['is any attempt after more than 45 minutes', 45 * MINUTE + 1, true],
    ])('%s', (_, ageMs, expected) => {
      for (const attempt of [0, 1, 4]) expect(isLast(attempt, { ...HAS_QUARANTINE, ageMs })).toBe(expected)
    })
  })

  describe('without a quarantine, of an event that is older than the receiver', () => {
    it.each([
      ['isn’t one after exactly 45 minutes', 1, 45 * MINUTE, false],
      ['is an attempt after more than 45 minutes', 1, 45 * MINUTE + 1, true],
      ['is an attempt after exactly 100 minutes', 1, 100 * MINUTE, true],
      ['isn’t one after more than 100 minutes', 1, 100 * MINUTE + 1, false],
      ['isn’t one that the store didn’t count', 0, 60 * MINUTE, false],
    ])('%s', (_, attempt, ageMs, expected) => {
      expect(isLast(attempt, { ageMs })).toBe(expected)
    })

    test('isn’t one with store: false', () => {
      expect(isLast(1, { ageMs: 60 * MINUTE, hasStore: false })).toBe(false)
    })
  })

  test('without a quarantine isn’t one of an event that is as old as the receiver or younger', () => {
    expect(isLast(1, { ageMs: 60 * MINUTE, receiverAgeMs: 60 * MINUTE - 1 })).toBe(true)
    expect(isLast(1, { ageMs: 60 * MINUTE, receiverAgeMs: 60 * MINUTE })).toBe(false)
    expect(isLast(1, { ageMs: 60 * MINUTE, receiverAgeMs: 90 * MINUTE })).toBe(false)
  })

  test('reads the time of the first delivery even if the event is young', () => {
    let reads = 0
    const { services, event } = budgetOf({ ageMs: 0 })
    const firstDeliveryAt = () => {
      reads++
      return NOW
    }
    isLastAttempt({ ...services, firstDeliveryAt }, event, 1)
    expect(reads).toBe(1)
  })
})

describe('a failing delivery', () => {
  const DISCARDING = Object.assign(async () => {}, { discard: async () => {} }) as QuarantineSink
  const isEarly = (attempt: number, options: BudgetOptions) => {
    const { services, event } = budgetOf({ quarantine: DISCARDING, ...options })
    return isKeptEarly(services, event, attempt)
  }

  it.each<[string, number, BudgetOptions, boolean]>([
    ['isn’t quarantined early on its first attempt', 1, { ageMs: 0 }, false],
    ['is quarantined early from its second attempt', 2, { ageMs: 0 }, true],
    ['isn’t quarantined early at 45 s minus 1 ms', 1, { ageMs: 45 * SECOND - 1 }, false],
    ['is quarantined early from 45 s', 1, { ageMs: 45 * SECOND }, true],
    ['is quarantined early from 45 s even if the attempt isn’t counted', 0, { ageMs: 45 * SECOND }, true],
    ['isn’t quarantined early if its age is unknown', 1, { ageMs: undefined }, false],
    ['is quarantined early if it is from the future, because the clock is wrong', 1, { ageMs: -1 }, true],
    ['isn’t quarantined early if an inbox holds it', 2, { origin: inboxAttempt(false) }, false],
    ['isn’t quarantined early if the quarantine already holds it', 2, { origin: { from: 'quarantine' } }, false],
    ['isn’t quarantined early if the quarantine can’t discard', 2, HAS_QUARANTINE, false],
  ])('%s', (_, attempt, options, expected) => {
    expect(isEarly(attempt, options)).toBe(expected)
  })

  test('isn’t quarantined early without a quarantine', () => {
    const { services, event } = budgetOf({})
    expect(isKeptEarly(services, event, 2)).toBe(false)
  })
})

describe('the time kept free before the response', () => {
  it.each<[string, boolean, BudgetOptions, number]>([
    ['is 1 s for the quarantine on a last attempt', true, HAS_QUARANTINE, 1000],
    ['is a quarter of a short deadline on a last attempt', true, { ...HAS_QUARANTINE, deadlineMs: 2000 }, 500],
    ['is 100 ms on any other attempt', false, HAS_QUARANTINE, 100],
    ['is 100 ms on a last attempt without a quarantine', true, {}, 100],
    ['is a tenth of a short deadline', false, { deadlineMs: 500 }, 50],
  ])('%s', (_, isLast, options, expected) => {
    expect(reserveMs(budgetOf(options).services, isLast)).toBe(expected)
  })
})

describe('a call of the store or the inbox', () => {
  const OLD = 46 * MINUTE

  it.each<[string, BudgetOptions, number]>([
    ['may take the time left minus 100 ms', {}, 4400],
    [
      'may take the time left minus 1 s if the age says that it is the last attempt',
      { ...HAS_QUARANTINE, ageMs: OLD },
      3500,
    ],
    [
      'may take the time left minus 100 ms for an old event from an inbox',
      { ...HAS_QUARANTINE, ageMs: OLD, origin: inboxAttempt(true) },
      4400,
    ],
  ])('%s', (_, options, expected) => {
    const { services, event } = budgetOf(options)
    expect(callTimeLeft(services, event)).toBe(expected)
  })

  test('may take 4.5 s at most if no response waits for it', () => {
    const { services, event } = budgetOf({ origin: { from: 'quarantine' } })
    expect(callTimeLeft(services, { ...event, deadline: startDeadline(services.clock, 900 * SECOND) })).toBe(4500)
  })

  test('may take less the more time has passed', async () => {
    const { services, event } = budgetOf({})
    await services.clock.advance(1000)
    expect(callTimeLeft(services, event)).toBe(3400)
  })
})
