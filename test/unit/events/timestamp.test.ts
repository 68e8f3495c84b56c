/** Which values of `timestamp` are a time. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTimestamp } from '../../../src/events/timestamp.js'

const NOON = Date.parse('2025-01-29T12:00:00Z')

describe('the documented form and its variants (acceptance case 127)', () => {
  it.each([
    ['without variation', '2025-01-29T12:00:00Z', 0],
    ['with an offset east', '2025-01-29T19:00:00+07:00', 0],
    ['with an offset west', '2025-01-29T08:30:00-03:30', 0],
    ['with an offset without a colon', '2025-01-29T19:00:00+0700', 0],
    ['with milliseconds', '2025-01-29T12:00:00.123Z', 123],
    ['with microseconds, as Python prints', '2025-01-29T12:00:00.123456+00:00', 123],
    ['with tenths', '2025-01-29T12:00:00.5Z', 500],
    ['with hundredths and an offset', '2025-01-29T19:00:00.05+07:00', 50],
    ['with nanoseconds, cut to the millisecond', '2025-01-29T12:00:00.000999999Z', 0],
    ['in lower case', '2025-01-29t12:00:00z', 0],
    ['with a space instead of the T', '2025-01-29 12:00:00Z', 0],
    ['across midnight', '2025-01-30T00:30:00+12:30', 0],
    ['with a leap second', '2025-01-29T11:59:60Z', 0],
  ])('%s', (_, text, afterNoon) => {
    expect(readTimestamp(text)).toEqual({ epochMs: NOON + afterNoon, documented: true })
  })
})

describe('another form is understood, and marked as undocumented (acceptance case 126)', () => {
  it.each<[string, unknown, number]>([
    ['without an offset, read as UTC', '2025-01-29T12:00:00', NOON],
    ['epoch seconds', NOON / 1000, NOON],
    ['epoch milliseconds', NOON, NOON],
    ['epoch seconds with a fraction, as in Python’s time.time()', NOON / 1000 + 0.123456, NOON + 123],
    ['the largest number of seconds', 1e11 - 1, 1e14 - 1000],
    ['the smallest number of milliseconds', 1e11, 1e11],
    ['the last millisecond that Date supports', 8.64e15, 8.64e15],
    ['epoch milliseconds with a fraction', NOON + 0.75, NOON],
  ])('%s', (_, value, epochMs) => {
    expect(readTimestamp(value)).toEqual({ epochMs, documented: false })
  })
})

describe('not a time', () => {
  it.each([
    ...['', 'hello', '2025-01-29', '12:00:00', '2025-01-29T12:00Z', '2025-1-29T12:00:00Z', '2025-01-29T12:00:00 Z'],
    ...[
      '2025-02-30T12:00:00Z',
      '2025-13-01T12:00:00Z',
      '2025-00-10T12:00:00Z',
      '2025-01-00T12:00:00Z',
      '2023-02-29T00:00:00Z',
    ],
    ...['2025-01-29T24:00:00Z', '2025-01-29T12:60:00Z', '2025-01-29T12:00:61Z', '2025-01-29T12:00:00+24:00'],
    ...['2025-01-29T12:00:00+07:60', ' 2025-01-29T12:00:00Z', '2025-01-29T12:00:00Z\n', '٢٠٢٥-01-29T12:00:00Z'],
    ...['2025-01-29T12:00:00.Z', '2025-01-29T12:00:00.1234567890Z', '2025-01-29T12:00:00+07', '1900-02-29T12:00:00Z'],
    ...[
      8.64e15 + 1,
      0,
      -1,
      Number.NaN,
      Infinity,
      -Infinity,
      9e15,
      1e300,
      null,
      undefined,
      true,
      {},
      [],
      [NOON],
      new Date(NOON),
    ],
  ])('%j', (value) => {
    expect(readTimestamp(value)).toBeUndefined()
  })
})

it('reads every date that Date prints, to the millisecond', () => {
  const instants = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(instants, (date) => {
      expect(readTimestamp(date.toISOString())).toEqual({ epochMs: date.getTime(), documented: true })
    }),
    { numRuns: 3000 },
  )
})

it('agrees with Date about every fraction and offset, and always returns a whole millisecond', () => {
  const two = (most: number) => fc.integer({ min: 0, max: most }).map((value) => String(value).padStart(2, '0'))
  const parts = fc.tuple(
    fc.integer({ min: 1970, max: 2100 }),
    two(13),
    two(32),
    two(23),
    two(59),
    two(59),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,9}$/)),
    fc.constantFrom('+', '-'),
    two(23),
    two(59),
  )
  fc.assert(
    fc.property(parts, ([year, month, day, hour, minute, second, fraction, sign, east, minutes]) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${sign}${east}:${minutes}`
      const isDay = new Date(Date.UTC(year, Number(month) - 1, Number(day)))
        .toISOString()
        .startsWith(`${year}-${month}-${day}`)
      expect(readTimestamp(text)?.epochMs).toBe(isDay ? Date.parse(text) : undefined)
    }),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      const epochMs = readTimestamp(value)?.epochMs
      expect(epochMs === undefined || Number.isSafeInteger(epochMs)).toBe(true)
    }),
  )
})
