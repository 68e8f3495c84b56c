/** Reads GoValid's rate-limit headers. Source: govalid docs, API reference. */

/** What is left of the hour's requests, as far as the last answer said. */
export interface RateLimit {
  /** Requests an hour: 100 on the free plan, 1,000 on Pro, 10,000 on Enterprise. */
  readonly limit?: number
  /** Requests left. */
  readonly remaining?: number
  /** When there will be more, in epoch milliseconds. */
  readonly resetsAt?: number
}

/** Reads a header by its name. */
export type ReadHeader = (name: string) => string | null

/** Above this a reset is a point in time in seconds; below, seconds from now. Which of the two GoValid sends is not documented. */
const POINT_IN_TIME_FROM = 1e9

/** The rate limit an answer tells of; `undefined` when it tells of none. */
export function readRateLimit(header: ReadHeader, now: number): RateLimit | undefined {
  const limit = readCount(header('x-ratelimit-limit'))
  const remaining = readCount(header('x-ratelimit-remaining'))
  const reset = readCount(header('x-ratelimit-reset'))
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  const resetsAt = reset === undefined ? undefined : reset < POINT_IN_TIME_FROM ? now + reset * 1000 : reset * 1000
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetsAt !== undefined && { resetsAt }),
  }
}

/** How long to wait before the next request, in milliseconds: `Retry-After` where there is one, else the rate limit's reset. */
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
