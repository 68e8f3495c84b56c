// Records the behavior of one target's receivers. It runs in every runtime, so it has no `node:` imports.
import type { DeliveryContext, ErrorReport, Outcome, QuarantineSink, Store, UnknownEvent } from '../../src/index.js'
import type { HandledCall, Observations, QuarantinedEntry, SeenOutcome, SeenReport } from './observations.js'

/** Hooks, a store and quarantines that record their calls. */
export interface Recorder {
  outcome(variant: string): (outcome: Outcome) => void
  report(variant: string): (report: ErrorReport) => void
  handled(variant: string, handler: string, event: UnknownEvent, context: DeliveryContext): void
  /** Wraps a real store and counts its calls. */
  store(inner: Store): Store
  /** Creates a quarantine that records its entries. */
  readonly sink: (variant: string) => QuarantineSink
  /** Records a line of `console.error`. */
  logged(line: string): void
  closed(variant: string): void
  /** Records an unhandled rejection or exception. */
  fault(error: unknown): void
  /** Returns the observations and keeps them. */
  peek(now: number): Observations
  /** Returns the observations and starts with empty ones. */
  take(now: number): Observations
}

const KEPT_BYTES = 4096
const KEPT_CHARACTERS = 200_000

export function createRecorder(): Recorder {
  let seen = emptyLists()
  return {
    outcome: (variant) => (outcome) => void seen.outcomes.push(toSeenOutcome(variant, outcome)),
    report: (variant) => (report) =>
      void seen.reports.push({
        variant,
        code: report.code,
        message: report.message,
        eventType: report.eventType ?? null,
      }),
    handled: (variant, handler, event, context) => void seen.handled.push(toCall(variant, handler, event, context)),
    store: (inner) => ({
      claim(request) {
        seen.store.claim++
        seen.retainUntil.push(request.retainUntil)
        return inner.claim(request)
      },
      renew(request) {
        seen.store.renew++
        return inner.renew(request)
      },
      complete(request) {
        seen.store.complete++
        return inner.complete(request)
      },
      release(request) {
        seen.store.release++
        return inner.release(request)
      },
    }),
    sink(variant) {
      const sink = async (entry: Parameters<QuarantineSink>[0]) => {
        const { key, code, eventType, rawBody, headers } = entry
        const kept = { rawBytes: rawBody.byteLength, rawBase64: toBase64(rawBody) }
        seen.quarantined.push({ variant, key, code, eventType: eventType ?? null, headers: { ...headers }, ...kept })
      }
      return Object.assign(sink, { discard: async (key: string) => void seen.discarded.push(key) })
    },
    closed: (variant) => void seen.closed.push(variant),
    logged: (line) => void seen.logged.push(line),
    fault: (error) => void seen.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    peek: (now) => toObservations(seen, now),
    take(now) {
      const taken = toObservations(seen, now)
      seen = emptyLists()
      return taken
    },
  }
}

function emptyLists() {
  return {
    handled: [] as HandledCall[],
    store: { claim: 0, renew: 0, complete: 0, release: 0 },
    retainUntil: [] as number[],
    outcomes: [] as SeenOutcome[],
    reports: [] as SeenReport[],
    quarantined: [] as QuarantinedEntry[],
    discarded: [] as string[],
    closed: [] as string[],
    logged: [] as string[],
    faults: [] as string[],
  }
}

function toObservations(seen: ReturnType<typeof emptyLists>, now: number): Observations {
  return { ...seen, objectPrototype: Object.getOwnPropertyNames(Object.prototype).sort(), now }
}

function toSeenOutcome(variant: string, outcome: Outcome): SeenOutcome {
  const { code, hint } = outcome as { readonly code?: string; readonly hint?: string }
  const { status, secretIndex = null, attempt = null } = outcome
  return { variant, status, code: code ?? null, hint: hint ?? null, secretIndex, attempt }
}

function toCall(variant: string, handler: string, event: UnknownEvent, context: DeliveryContext): HandledCall {
  const { attempt, redelivery, idempotencyKey, rawBody } = context
  return {
    variant,
    handler,
    eventType: event.event,
    event: print(event),
    attempt,
    redelivery,
    idempotencyKey,
    issues: context.issues.map(({ path, expected, received }) => `${path.join('.')}: ${expected}, ${received}`),
    rawBytes: rawBody.byteLength,
    rawBase64: toBase64(rawBody),
    foreignPrototype: hasForeignPrototype(event),
  }
}

function print(event: object): string | null {
  try {
    const text = JSON.stringify(event)
    return text.length > KEPT_CHARACTERS ? null : text
  } catch {
    return null
  }
}

/** Checks every object without recursion, because an event may be nested 500,000 deep. */
function hasForeignPrototype(event: object): boolean {
  const open: unknown[] = [event]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    const own = Array.isArray(value) ? Array.prototype : Object.prototype
    if (Object.getPrototypeOf(value) !== own) return true
    for (const field of Object.values(value)) open.push(field)
  }
  return false
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes.subarray(0, KEPT_BYTES)))
}
