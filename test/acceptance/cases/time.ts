// Group E: time. The cases set the receiver's clock and vary the payload's `timestamp`.
import { expect } from 'vitest'
import { type Case, type Expected, PROCESSED, quarantined, type Stage, type Step } from '../case.js'
import { scan, signed } from '../deliveries.js'
import type { VariantName } from '../variants.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.parse('2026-03-01T12:00:00Z')

/** The latest ages of GoValid's five attempts under both readings of its retry table, including timeouts and a slow network. */
const ATTEMPT_AGES = [
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

/** Returns one scan per timestamp. */
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

/** Plays the steps at a fixed time. */
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

/** Checks that the record is kept at least until a time, and less than two days longer. */
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
    title: 'all five attempts of GoValid are in time',
    play: at(NOW, () =>
      stamped(
        ATTEMPT_AGES.map((age) => iso(NOW - age)),
        PROCESSED,
        hasNoIssue,
      ),
    ),
  },
  {
    number: '119',
    title: 'a delivery that is 71 h 59 min old is processed',
    play: at(NOW, () => stamped([iso(NOW - 72 * HOUR + MINUTE)], PROCESSED)),
  },
  {
    number: '120',
    title: 'a delivery that is 72 h 1 min old is quarantined as stale',
    play: at(NOW, () => stamped([iso(NOW - 72 * HOUR - MINUTE)], stale)),
  },
  {
    number: '121',
    title: 'the guide’s example with its old date gets a 200, and the report explains why no handler ran',
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
    title: 'a delivery from the near future is processed, and kept until 72 hours after its timestamp',
    play: at(NOW, () =>
      [9 * MINUTE, 24 * HOUR - MINUTE].flatMap((ahead) =>
        stamped([iso(NOW + ahead)], PROCESSED, keptUntil(NOW + ahead + 72 * HOUR)),
      ),
    ),
  },
  {
    number: '123',
    title: 'a delivery from 25 hours in the future is quarantined',
    play: at(NOW, () => stamped([iso(NOW + 25 * HOUR)], quarantined('from_future'))),
  },
  {
    number: '124',
    title: 'a delivery without a timestamp is processed with an issue and kept for 30 days',
    play: at(NOW, () => stamped([undefined, null], PROCESSED, all(hasIssue, keptUntil(NOW + 30 * DAY)))),
  },
  {
    number: '125',
    title: 'a delivery with an invalid timestamp is processed with an issue and kept for 30 days',
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
    title: 'a timestamp in epoch seconds or milliseconds is understood, with an issue',
    play: at(NOW, () => [
      ...stamped([(NOW - MINUTE) / 1000, NOW - MINUTE], PROCESSED, all(hasIssue, keptUntil(NOW - MINUTE + 72 * HOUR))),
      ...stamped([(NOW - 73 * HOUR) / 1000, NOW - 73 * HOUR], stale),
    ]),
  },
  {
    number: '127',
    title: 'offsets, fractions, lower-case letters and a space instead of T mean the same instant',
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
        const result = await step({ request: signed(scan({ timestamp })), expected: PROCESSED, check: hasNoIssue })
        seen.push(result.seen.retainUntil[0])
      }
      const [first = 0] = seen
      expect(seen.map((until = 0) => Math.abs(until - first) < SECOND)).toEqual(seen.map(() => true))
      await setTime(Date.parse('2026-03-04T12:01:00Z'))
      await step({ request: signed(scan({ timestamp: '2026-03-01T19:00:00+07:00' })), expected: stale })
    },
  },
  {
    number: '128',
    title: 'a tolerance of five minutes loses the later attempts, which the docs call unsafe',
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
    title: 'the same signed bytes are handled once, even a year later',
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
