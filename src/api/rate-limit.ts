/** Reads GoValid's rate-limit headers. Source: govalid docs: API reference. */

/** The rate limit of the account. A field is missing if the response didn't report it. */
export interface RateLimit {
  /** The number of requests per hour: 100 on the free plan, 1,000 on Pro, 10,000 on Enterprise. */
  readonly limit?: number
  /** The number of requests left in this hour. */
  readonly remaining?: number
  /** The time at which the limit resets, in epoch milliseconds. */
  readonly resetsAt?: number
}

/** Returns the value of a header, or `null`. */
export type ReadHeader = (name: string) => string | null

/** Larger values of the reset header are epoch seconds; smaller values are seconds from now. GoValid doesn't document which it sends. */
const MIN_EPOCH_SECONDS = 1e9

/** Reads the rate limit from the headers of a response; `undefined` if they contain none. */
export function readRateLimit(header: ReadHeader, now: number): RateLimit | undefined {
  const limit = readCount(header('x-ratelimit-limit'))
  const remaining = readCount(header('x-ratelimit-remaining'))
  const reset = readCount(header('x-ratelimit-reset'))
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  const resetsAt = reset === undefined ? undefined : reset < MIN_EPOCH_SECONDS ? now + reset * 1000 : reset * 1000
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetsAt !== undefined && { resetsAt }),
  }
}

/** Returns the time to wait before the next request, in milliseconds: `Retry-After` if present, otherwise until the rate limit resets. */
export function readWait(header: ReadHeader, rateLimit: RateLimit | undefined, now: number): number | undefined {
  const seconds = readCount(header('retry-after'))
  if (seconds !== undefined) return seconds * 1000
  const date = Date.parse(header('retry-after') ?? '')
  const until = Number.isNaN(date) ? rateLimit?.resetsAt : date
  return until === undefined ? undefined : Math.max(0, until - now)
}

function readCount(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined
}
