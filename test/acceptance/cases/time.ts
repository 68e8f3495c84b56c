// E. Time: the receiver's clock is set, the payload's `timestamp` varies.
import { expect } from 'vitest'
import { type Case, type Expected, PROCESSED, quarantined, type Stage, type Step } from '../case.js'
import { scan, signed } from '../deliveries.js'
import type { VariantName } from '../variants.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.parse('2026-03-01T12:00:00Z')

/** GoValid's five tries, by both readings of its table, each as late as a time-out and a slow network make it. */
const MAX_ATTEMPTS = [
  0,
  1 * MINUTE,
  5 * MINUTE,
  6 * MINUTE,
  15 * MINUTE,
  21 * MINUTE,
  60 * MINUTE,
  81 * MINUTE + 25 * SECOND,
]

const iso = (epochMs: number) => new Date(epochMs).toISOString().replace('.000Z', 'Z')

/** One scan per timestamp. */
function stamped(
  timestamps: readonly unknown[],
  expected: Expected,
  check?: Step['check'],
  variant: VariantName = 'default',
): readonly Step[] {
  return timestamps.map((timestamp) => ({
    variant,
    request: signed(scan({ timestamp })),
    expected,
    ...(check && { check }),
  }))
}

/** Plays steps at the set time. */
function at(epochMs: number, steps: () => readonly Step[]): NonNullable<Case['play']> {
  return async ({ setTime, step }: Stage) => {
    await setTime(epochMs)
    for (const one of steps()) await step(one)
  }
}

const stale = quarantined('stale')
const hasIssue: Step['check'] = ({ handled }) =>
  expect(handled[0]?.issues.some((issue) => issue.startsWith('timestamp: '))).toBe(true)
const hasNoIssue: Step['check'] = ({ handled }) => expect(handled[0]?.issues).toEqual([])

/** The record is kept at least until then, and not for ever. */
function keptUntil(epochMs: number): Step['check'] {
  return ({ retainUntil }) => {
    expect(retainUntil).toHaveLength(1)
    expect(retainUntil[0]).toBeGreaterThanOrEqual(epochMs)
    expect(retainUntil[0]).toBeLessThan(epochMs + 2 * DAY)
  }
}

const all =
  (...checks: readonly Step['check'][]): Step['check'] =>
  (seen, reply) => {
    for (const check of checks) check?.(seen, reply)
  }

export const TIME_CASES: readonly Case[] = [
  {
    number: '118',
    title: 'every one of GoValid’s tries is in time',
    play: at(NOW, () =>
      stamped(
        MAX_ATTEMPTS.map((age) => iso(NOW - age)),
        PROCESSED,
        hasNoIssue,
      ),
    ),
  },
  {
    number: '119',
    title: 'a delivery of 71 h 59 min is processed',
    play: at(NOW, () => stamped([iso(NOW - 72 * HOUR + MINUTE)], PROCESSED)),
  },
  {
    number: '120',
    title: 'a delivery of 72 h 1 min is stale',
    play: at(NOW, () => stamped([iso(NOW - 72 * HOUR - MINUTE)], stale)),
  },
  {
    number: '121',
    title: 'the guide’s example with its old date is answered 200, and the report says why no handler was called',
    play: at(NOW, () =>
      stamped(['2025-01-29T12:00:00Z'], stale, ({ reports }) => {
        expect(reports[0]?.message).toContain('older than maxAgeMs')
        expect(reports[0]?.message).toContain('Test')
        expect(reports[0]?.eventType).toBe('qr.scanned')
      }),
    ),
  },
  {
    number: '122',
    title: 'a delivery from the near future is processed and remembered for its own 72 hours',
    play: at(NOW, () =>
      [9 * MINUTE, 24 * HOUR - MINUTE].flatMap((ahead) =>
        stamped([iso(NOW + ahead)], PROCESSED, keptUntil(NOW + ahead + 72 * HOUR)),
      ),
    ),
  },
  {
    number: '123',
    title: 'a delivery from 25 hours ahead is set aside',
    play: at(NOW, () => stamped([iso(NOW + 25 * HOUR)], quarantined('from_future'))),
  },
  {
    number: '124',
    title: 'a delivery without a timestamp is processed with an issue and remembered for 30 days',
    play: at(NOW, () => stamped([undefined, null], PROCESSED, all(hasIssue, keptUntil(NOW + 30 * DAY)))),
  },
  {
    number: '125',
    title: 'so is one whose timestamp is no time',
    play: at(NOW, () =>
      stamped(
        ['hello', '', {}, [], true, '2026-13-45T99:99:99Z', '2026-02-30T12:00:00Z'],
        PROCESSED,
        all(hasIssue, keptUntil(NOW + 30 * DAY)),
      ),
    ),
  },
  {
    number: '126',
    title: 'epoch seconds and milliseconds are understood, with an issue',
    play: at(NOW, () => [
      ...stamped([(NOW - MINUTE) / 1000, NOW - MINUTE], PROCESSED, all(hasIssue, keptUntil(NOW - MINUTE + 72 * HOUR))),
      ...stamped([(NOW - 73 * HOUR) / 1000, NOW - 73 * HOUR], stale),
    ]),
  },
  {
    number: '127',
    title: 'an offset, a fraction, lower-case letters and a space for T name the same instant',
    async play({ setTime, step }) {
      await setTime(NOW)
      const seen: (number | undefined)[] = []
      for (const timestamp of [
        '2026-03-01T12:00:00Z',
        '2026-03-01T19:00:00+07:00',
        '2026-03-01T12:00:00.123456Z',
        '2026-03-01t12:00:00z',
        '2026-03-01 12:00:00Z',
        '2026-03-01T08:30:00-03:30',
      ]) {
        const played = await step({ request: signed(scan({ timestamp })), expected: PROCESSED, check: hasNoIssue })
        seen.push(played.seen.retainUntil[0])
      }
      const [first = 0] = seen
      expect(seen.map((until = 0) => Math.abs(until - first) < SECOND)).toEqual(seen.map(() => true))
      await setTime(Date.parse('2026-03-04T12:01:00Z'))
      await step({ request: signed(scan({ timestamp: '2026-03-01T19:00:00+07:00' })), expected: stale })
    },
  },
  {
    number: '128',
    title: 'with a tolerance of five minutes the later tries are lost: documented as unsafe',
    play: at(NOW, () => {
      const ages = [5 * MINUTE + SECOND, 6 * MINUTE, 21 * MINUTE, 81 * MINUTE + 25 * SECOND]
      return [
        ...stamped([iso(NOW), iso(NOW - MINUTE)], PROCESSED, undefined, 'five-minutes'),
        ...stamped(
          ages.map((age) => iso(NOW - age)),
          stale,
          undefined,
          'five-minutes',
        ),
      ]
    }),
  },
  {
    number: '129',
    title: 'the same signed bytes are handled once, now and a year later',
    async play({ setTime, send, observe, expectResponse }) {
      const request = signed(scan({ timestamp: iso(NOW) }))
      let calls = 0
      for (const [after, response] of [
        [0, 'processed'],
        [SECOND, 'duplicate'],
        [82 * MINUTE, 'duplicate'],
        [71 * HOUR, 'duplicate'],
        [73 * HOUR, 'quarantined'],
        [365 * DAY, 'quarantined'],
      ] as const) {
        await setTime(NOW + after)
        expectResponse(await send(request), response)
        calls += (await observe()).handled.length
      }
      expect(calls).toBe(1)
    },
  },
]
