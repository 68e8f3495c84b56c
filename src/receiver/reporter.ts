/**
 * Reports outcomes and problems to the user's hooks, which can't harm a delivery. Without `onError`, problems are printed.
 * No payload, secret or signature is ever printed, and control characters in strings from the sender are escaped.
 */
import { type Clock, monotonicMs } from '../clock.js'
import { isError, withExplanation } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { Delivery, ErrorReport, ReportedOutcome } from '../types.js'
import { keepAlive } from './keep-alive.js'

/** The user's hooks. Neither function throws. `platform` is kept alive for a hook that returns a promise. */
export interface Reporter {
  outcome(outcome: ReportedOutcome, platform?: Platform): void
  report(report: ErrorReport, platform?: Platform): void
}

type Platform = Pick<Delivery, 'waitUntil'>

interface Hooks {
  readonly onOutcome?: ((outcome: ReportedOutcome) => unknown) | undefined
  readonly onError?: ((report: ErrorReport) => unknown) | undefined
  readonly clock: Clock
}

/** Wraps the hooks: an error in a hook is reported and never reaches a delivery. */
export function createReporter({ onOutcome, onError, clock }: Hooks): Reporter {
  const print = createPrinter(clock)
  const isQuiet = createOverloadLimit(clock)
  const report: Reporter['report'] = (entry, platform) => {
    if (isQuiet(entry)) return
    if (!onError) return print(entry)
    callHook(
      () => onError(entry),
      (error) => print(hookFailed('onError', error)),
      platform,
    )
  }
  const outcome: Reporter['outcome'] = (entry, platform) => {
    if (!onOutcome) return
    callHook(
      () => onOutcome(entry),
      (error) => report(hookFailed('onOutcome', error), platform),
      platform,
    )
  }
  return { outcome, report }
}

function callHook(call: () => unknown, onFailure: (error: unknown) => void, platform: Platform | undefined): void {
  try {
    const result = call()
    // The hook isn't awaited, and its rejection must not end the process.
    if (isPromiseLike(result)) keepAlive(platform, Promise.resolve(result).catch(onFailure))
  } catch (error) {
    onFailure(error)
  }
}

/** An overloaded store fails many deliveries at once, so it is reported once per minute. */
function createOverloadLimit(clock: Clock): (report: ErrorReport) => boolean {
  let reportedAt = Number.NEGATIVE_INFINITY
  return function isQuiet({ code }) {
    if (code !== 'overloaded') return false
    const now = monotonicMs(clock)
    if (now - reportedAt < QUIET_MS) return true
    reportedAt = now
    return false
  }
}

function hookFailed(name: string, error: unknown): ErrorReport {
  return { code: 'hook_failed', message: `${name} threw. The delivery was not affected.`, error }
}

const QUIET_MS = 60_000

/** Prints at most one line per code and minute. The next line says how many were omitted. */
function createPrinter(clock: Clock): (report: ErrorReport) => void {
  const printed = new Map<string, { at: number; omitted: number }>()
  return function printReport(report) {
    const now = monotonicMs(clock)
    const last = printed.get(report.code)
    if (last && now - last.at < QUIET_MS) {
      last.omitted++
      return
    }
    printed.set(report.code, { at: now, omitted: 0 })
    try {
      console.error(describe(report, last?.omitted ?? 0))
    } catch {
      // Test setups replace `console.error` with a function that throws.
    }
  }
}

function describe(report: ErrorReport, omitted: number): string {
  const { code, message, eventType, idempotencyKey, error } = report
  // The message of an error already ends with the command.
  const text = message.endsWith(code) ? message : withExplanation(message, code)
  const parts = [`[govalid-webhooks] ${code}: ${text}`]
  if (eventType !== undefined) parts.push(`event ${printable(String(eventType))}`)
  if (idempotencyKey !== undefined) parts.push(`key ${idempotencyKey}`)
  if (omitted > 0) parts.push(`(${omitted} more reports with this code since the last line)`)
  const line = parts.join(' | ')
  if (error === undefined) return line
  // Each line of the error is indented, so that a line break in it can't forge a log line.
  const details = errorText(error).slice(0, 2000).split('\n')
  return [line, ...details.map((detail) => `    ${printable(detail)}`)].join('\n')
}

/** Formats an error for a log or the quarantine, with its stack, its causes and the errors it holds; at most 4,000 characters. */
export function errorText(error: unknown): string {
  try {
    return describeError(error, 0).slice(0, 4000)
  } catch {
    return 'an error that can’t be printed'
  }
}

const MAX_DEPTH = 3

function describeError(error: unknown, depth: number): string {
  if (!isError(error)) return String(error)
  const held: readonly unknown[] = error.name === 'AggregateError' ? (error as AggregateError).errors : []
  // Only the stacks of the inner errors are of interest, not where they were joined.
  const { stack } = error
  const own = held.length === 0 && typeof stack === 'string' ? stack : `${error.name}: ${error.message}`
  if (depth === MAX_DEPTH) return own
  const inner = error.cause === undefined ? held : [...held, error.cause]
  return [own, ...inner.map((each) => describeError(each, depth + 1))].join('\n- ')
}

/** Escapes control characters, so that an event's name can't forge a log line; at most 2,000 characters. */
function printable(text: string): string {
  return text
    .slice(0, 2000)
    .replace(
      /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
}
