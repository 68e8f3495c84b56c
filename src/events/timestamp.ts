/**
 * Reads an event's `timestamp`: the documented ISO 8601 form, and the forms that GoValid could change to.
 * Any other value counts as no time.
 */

/** A time read from a payload. */
export interface EventTime {
  /** Epoch milliseconds. */
  readonly epochMs: number
  /** Whether it had the documented form: a string with a date, a time and an offset. */
  readonly documented: boolean
}

/** Smaller numbers are seconds (they reach the year 5138); larger numbers are milliseconds (they start in 1973). */
const MILLISECONDS_FROM = 1e11

/** Returns the time of a `timestamp`, or `undefined` if the value isn't a time. */
export function readTimestamp(value: unknown): EventTime | undefined {
  if (typeof value === 'string') return readText(value)
  // `value <= 0` would let NaN pass.
  if (typeof value !== 'number' || !(value > 0)) return undefined
  // Stores compute a record's retention from this value and save it as an integer, so it must be whole.
  const epochMs = Math.trunc(value < MILLISECONDS_FROM ? value * 1000 : value)
  return epochMs > 8.64e15 ? undefined : { epochMs, documented: false }
}

const ISO_8601 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)?$/
/** The position after the seconds, where a fraction or an offset may start. */
const REST_START = 19

/** Reads the digits in place, because a regular expression that captures each part takes as long as the signature's hash. */
function readText(text: string): EventTime | undefined {
  if (!ISO_8601.test(text)) return undefined
  const midnight = midnightOf(100 * two(text, 0) + two(text, 2), two(text, 5), two(text, 8))
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (midnight === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  let offsetStart = REST_START
  while (isFraction(text.charCodeAt(offsetStart))) offsetStart++
  let ms = 0
  for (let index = REST_START + 1; index <= REST_START + 3; index++)
    ms = 10 * ms + (index < offsetStart ? digit(text, index) : 0)
  const offsetMinutes = readOffset(text, offsetStart)
  if (offsetMinutes === undefined) return undefined
  const seconds = hour * 3600 + (minute - offsetMinutes) * 60 + second
  return { epochMs: midnight + seconds * 1000 + ms, documented: offsetStart < text.length }
}

/** The Gregorian calendar repeats itself after 400 years. */
const YEARS = 400
const YEARS_MS = 146_097 * 24 * 60 * 60 * 1000

/** Returns the start of a day in epoch milliseconds, or `undefined` if the day doesn't exist. */
function midnightOf(year: number, month: number, day: number): number | undefined {
  // Date.UTC reads the years 0 to 99 as 1900 to 1999. Adding 400 years avoids this without creating a Date.
  const midnight = Date.UTC(year + YEARS, month - 1, day)
  const isDay = day > 0 && (day <= 28 || midnight < Date.UTC(year + YEARS, month, 1))
  return isDay && month > 0 && month <= 12 ? midnight - YEARS_MS : undefined
}

/** Returns the offset in minutes east of UTC, 0 if there is none, or `undefined` if it is out of range. */
function readOffset(text: string, start: number): number | undefined {
  const sign = text.charAt(start)
  if (sign !== '+' && sign !== '-') return 0
  const hour = two(text, start + 1)
  const minute = two(text, text.length - 2)
  if (hour > 23 || minute > 59) return undefined
  const minutes = hour * 60 + minute
  return sign === '-' ? -minutes : minutes
}

const DOT = '.'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/** Returns whether a character code belongs to a fraction (a dot or a digit). False at the end of the text (NaN) and for an offset. */
function isFraction(code: number): boolean {
  return code === DOT || (code >= ZERO && code < ZERO + 10)
}

function two(text: string, index: number): number {
  return 10 * digit(text, index) + digit(text, index + 1)
}

function digit(text: string, index: number): number {
  return text.charCodeAt(index) - ZERO
}
