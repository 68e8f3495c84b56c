/**
 * Reads an event's `timestamp`: the documented ISO 8601 form, and the forms a sender could drift to. Anything else has no time.
 */

/** A time read from a payload. */
export interface EventTime {
  /** Epoch milliseconds. */
  readonly epochMs: number
  /** Whether it stood in the documented form (a string with a date, a time and an offset). */
  readonly documented: boolean
}

/** Below this a number counts seconds (until the year 5138), from it on milliseconds (since 1973). */
const MILLISECONDS_FROM = 1e11

/** The time a `timestamp` names; `undefined` when it names none. */
export function readTimestamp(value: unknown): EventTime | undefined {
  if (typeof value === 'string') return readText(value)
  // Not `value <= 0`: that is false of NaN.
  if (typeof value !== 'number' || !(value > 0)) return undefined
  // Whole milliseconds: they become a record's retention, and databases keep that in an integer.
  const epochMs = Math.trunc(value < MILLISECONDS_FROM ? value * 1000 : value)
  return epochMs > 8.64e15 ? undefined : { epochMs, documented: false }
}

const ISO_8601 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)?$/
/** Where the seconds end and a fraction or an offset may stand. */
const REST_AT = 19

/** Digits are read where they stand: an expression that cuts out each part takes as long as the signature's hash. */
function readText(text: string): EventTime | undefined {
  if (!ISO_8601.test(text)) return undefined
  const midnight = midnightOf(100 * two(text, 0) + two(text, 2), two(text, 5), two(text, 8))
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (midnight === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  let offsetAt = REST_AT
  while (isFraction(text.charCodeAt(offsetAt))) offsetAt++
  let ms = 0
  for (let at = REST_AT + 1; at <= REST_AT + 3; at++) ms = 10 * ms + (at < offsetAt ? digit(text, at) : 0)
  const offsetMinutes = readOffset(text, offsetAt)
  if (offsetMinutes === undefined) return undefined
  const seconds = hour * 3600 + (minute - offsetMinutes) * 60 + second
  return { epochMs: midnight + seconds * 1000 + ms, documented: offsetAt < text.length }
}

/** After so many years the calendar repeats itself. */
const YEARS = 400
const YEARS_MS = 146_097 * 24 * 60 * 60 * 1000

/** Epoch milliseconds; `undefined` for a day that no calendar has. */
function midnightOf(year: number, month: number, day: number): number | undefined {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; moved on by 400 years there are none of those, and no Date has to be made.
  const midnight = Date.UTC(year + YEARS, month - 1, day)
  const isDay = day > 0 && (day <= 28 || midnight < Date.UTC(year + YEARS, month, 1))
  return isDay && month > 0 && month <= 12 ? midnight - YEARS_MS : undefined
}

/** Minutes east of Greenwich, none without an offset; `undefined` for one that no clock has. */
function readOffset(text: string, at: number): number | undefined {
  const sign = text.charAt(at)
  if (sign !== '+' && sign !== '-') return 0
  const hour = two(text, at + 1)
  const minute = two(text, text.length - 2)
  if (hour > 23 || minute > 59) return undefined
  const minutes = hour * 60 + minute
  return sign === '-' ? -minutes : minutes
}

const DOT = '.'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/** A point or a digit; not the end of the text, nor what an offset begins with. */
function isFraction(code: number): boolean {
  return code === DOT || (code >= ZERO && code < ZERO + 10)
}

function two(text: string, at: number): number {
  return 10 * digit(text, at) + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO
}
