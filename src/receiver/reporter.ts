/**
 * Reports outcomes and problems to the user's hooks, which can't harm a delivery. Without `onError`, problems are printed.
 * No payload, secret or signature is ever printed, and control characters in strings from the sender are escaped.
 */
import type { Clock } from '../clock.js'
import type { ErrorReport, Outcome } from '../types.js'

/** The user's hooks. Neither function throws. */
export interface Reporter {
  outcome(outcome: Outcome): void
  report(report: ErrorReport): void
}

interface Hooks {
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined
  readonly onError?: ((report: ErrorReport) => void) | undefined
  readonly clock: Clock
}

/** Wraps the hooks: an error in a hook is reported and never reaches a delivery. */
export function createReporter({ onOutcome, onError, clock }: Hooks): Reporter {
  const print = createPrinter(clock)
  const report = onError
    ? (entry: ErrorReport) =>
        guard(
          () => onError(entry),
          (error) => print(hookFailed('onError', error)),
        )
    : print
  const outcome = onOutcome
    ? (entry: Outcome) =>
        guard(
          () => onOutcome(entry),
          (error) => report(hookFailed('onOutcome', error)),
        )
    : () => {}
  return { outcome, report }
}

function guard(call: () => unknown, onFailure: (error: unknown) => void): void {
  try {
    const result = call()
    // The hook isn't awaited, and its rejection must not end the process.
    if (result instanceof Promise) result.catch(onFailure)
  } catch (error) {
    onFailure(error)
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
    const now = clock.now()
    const last = printed.get(report.code)
    if (last && now - last.at < QUIET_MS) {
      last.omitted++
      return
    }
    printed.set(report.code, { at: now, omitted: 0 })
    console.error(describe(report, last?.omitted ?? 0))
  }
}

function describe(report: ErrorReport, omitted: number): string {
  const { code, message, eventType, idempotencyKey, error } = report
  const parts = [`[govalid-webhooks] ${code}: ${message}`]
  if (eventType !== undefined) parts.push(`event ${printable(eventType)}`)
  if (idempotencyKey !== undefined) parts.push(`key ${idempotencyKey}`)
  if (error !== undefined) parts.push(`error ${printable(errorText(error))}`)
  if (omitted > 0) parts.push(`(${omitted} more of this kind since the last line)`)
  return parts.join(' | ')
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
  if (!(error instanceof Error)) return String(error)
  const held: readonly unknown[] = error instanceof AggregateError ? error.errors : []
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
    .replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
