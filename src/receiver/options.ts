/**
 * The options of `createReceiver`, their defaults and their check: a wrong option throws at creation, with a code and its fix.
 */
import { type Clock, guardClock, systemClock } from '../clock.js'
import type { SecretSource } from '../crypto/secrets.js'
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, isEventType } from '../events/event-types.js'
import { nearestName } from '../events/nearest-name.js'
import { isObject } from '../events/shapes.js'
import type { EventSchemas, StandardSchema } from '../events/standard-schema.js'
import type { Inbox } from '../inboxes/inbox.js'
import type { QuarantineSink, Store } from '../stores/store.js'
import type { ErrorReport, ReportedOutcome } from '../types.js'

/** Everything `createReceiver` accepts. Only `secret` is required. */
export interface ReceiverOptions<Schemas extends EventSchemas = EventSchemas, Transaction = never> {
  /**
   * The webhook's secret; several while you rotate one; or a function that is called on the first delivery (for secret managers,
   * `next build` and Workers). If the function throws, it is called again on the next delivery; only a success is kept. If a signature
   * doesn't match, it is called again too, at most once a minute, so a rotation needs no restart.
   */
  readonly secret: SecretSource
  /** Remembers deliveries. Default: `memoryStore`. `false`: no deduplication and no attempt budget. */
  readonly store?: Store<Transaction> | false | undefined
  /** Stores verified deliveries durably and processes them after the response. Default: none, handlers run before the response. */
  readonly inbox?: Inbox | undefined
  /** Keeps deliveries that can't be processed. Default: the store's or the inbox's quarantine. Without one they are reported and dropped. */
  readonly quarantine?: QuarantineSink | undefined
  /** Returns the text that identifies a delivery; it is hashed. Default: the raw body's bytes. */
  readonly idempotencyKey?:
    | ((delivery: { readonly rawBody: Uint8Array; readonly payload: Readonly<Record<string, unknown>> }) => string)
    | undefined
  /** The maximum body size in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** The maximum time for a body to arrive, in milliseconds. Default: 2,500. */
  readonly bodyDeadlineMs?: number | undefined
  /** When the response leaves at the latest, in milliseconds. GoValid waits 5,000. Default: 4,500. */
  readonly deadlineMs?: number | undefined
  /**
   * The maximum time handlers may run, including after the response, in milliseconds; at most 24 days. The delivery stays claimed until
   * then. Default: 15 minutes.
   */
  readonly handlerTimeoutMs?: number | undefined
  /** The maximum age of an event by its `timestamp`, in milliseconds; `false`: any age. Default: 72 hours. */
  readonly maxAgeMs?: number | false | undefined
  /** A Standard Schema (zod, valibot, arktype …) per event type for `event.data`. Handlers get the schema's output. */
  readonly schemas?: Schemas | undefined
  /** The bytes that the signature covers. Default: `'body'`. Read `docs/concepts/open-questions.md` before you change it. */
  readonly signedContent?: 'body' | 'body-without-signature' | undefined
  /**
   * Receives every outcome, with its duration and, for a refusal, its reason. Handlers that end after the response cause a second call with
   * `late: true`.
   */
  readonly onOutcome?: ((outcome: ReportedOutcome) => unknown) | undefined
  /** Receives every problem. Default: `console.error`, at most one line per code and minute. */
  readonly onError?: ((report: ErrorReport) => unknown) | undefined
  /** The clock, for tests. */
  readonly clock?: Clock | undefined
}

/** Options with every default filled in. */
export interface Settings {
  /** `false` with `store: false`: no attempt is counted. */
  readonly hasStore: boolean
  readonly inbox: Inbox | undefined
  readonly quarantine: QuarantineSink | undefined
  /** The quarantine can take an entry back, so a failing delivery may be quarantined early. */
  readonly canDiscard: boolean
  readonly idempotencyKey: ReceiverOptions['idempotencyKey']
  readonly maxBodyBytes: number
  readonly bodyDeadlineMs: number
  readonly deadlineMs: number
  readonly handlerTimeoutMs: number
  readonly maxAgeMs: number | false
  readonly schemas: EventSchemas
  readonly signedContent: 'body' | 'body-without-signature'
  readonly clock: Clock
}

const DEFAULTS = {
  maxBodyBytes: 1024 * 1024,
  bodyDeadlineMs: 2500,
  deadlineMs: 4500,
  handlerTimeoutMs: 15 * 60 * 1000,
  maxAgeMs: 72 * 60 * 60 * 1000,
}

const NAMES: ReadonlySet<string> = new Set<keyof ReceiverOptions>([
  ...(['secret', 'store', 'inbox', 'quarantine', 'idempotencyKey', 'maxBodyBytes', 'bodyDeadlineMs'] as const),
  ...(['deadlineMs', 'handlerTimeoutMs', 'maxAgeMs', 'schemas', 'signedContent', 'onOutcome'] as const),
  ...(['onError', 'clock'] as const),
])

const SENDER_WAITS_MS = 5000
/** A minute is added to it for deliveries from an inbox, and the sum must not exceed the maximum of a timer. */
const MAX_HANDLER_TIMEOUT_MS = 24 * 24 * 60 * 60 * 1000

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {@link WebhookError} `option_unknown`, `option_invalid`, `event_type_unknown`, `store_unsuitable`.
 */
export function readOptions(options: ReceiverOptions<EventSchemas, unknown>): Settings {
  refuseUnknown(options)
  const deadlineMs = readDuration(options, 'deadlineMs')
  const bodyDeadlineMs =
    options.bodyDeadlineMs === undefined
      ? Math.min(DEFAULTS.bodyDeadlineMs, deadlineMs)
      : readDuration(options, 'bodyDeadlineMs')
  if (deadlineMs >= SENDER_WAITS_MS) {
    throw invalid('deadlineMs', `below ${SENDER_WAITS_MS}, because GoValid stops waiting after 5 s`, deadlineMs)
  }
  if (bodyDeadlineMs > deadlineMs) throw invalid('bodyDeadlineMs', 'at most deadlineMs', bodyDeadlineMs)
  const handlerTimeoutMs = readDuration(options, 'handlerTimeoutMs')
  if (handlerTimeoutMs > MAX_HANDLER_TIMEOUT_MS) {
    throw invalid('handlerTimeoutMs', `at most ${MAX_HANDLER_TIMEOUT_MS}, which is 24 days`, handlerTimeoutMs)
  }
  const { store, inbox, quarantine, idempotencyKey } = options
  if (store !== undefined && store !== false) refuseUnsuitable(store)
  if (inbox !== undefined && typeof inbox?.accept !== 'function') {
    throw invalid('inbox', 'an inbox of govalid-webhooks/inboxes/…', inbox)
  }
  const maxBodyBytes = readDuration(options, 'maxBodyBytes')
  const inboxBytes = inbox?.maxBodyBytes ?? maxBodyBytes
  if (maxBodyBytes > inboxBytes)
    throw invalid('maxBodyBytes', `at most ${inboxBytes}, which is the inbox’s limit`, maxBodyBytes)
  for (const hook of ['quarantine', 'idempotencyKey', 'onOutcome', 'onError'] as const) readFunction(options, hook)
  const sink = quarantine ?? (store ? store.quarantine : undefined) ?? inbox?.quarantine
  return {
    hasStore: store !== false,
    inbox,
    quarantine: sink,
    canDiscard: canDiscard(sink),
    idempotencyKey,
    maxBodyBytes,
    bodyDeadlineMs,
    deadlineMs,
    handlerTimeoutMs,
    maxAgeMs: options.maxAgeMs === false ? false : readDuration(options, 'maxAgeMs'),
    schemas: readSchemas(options.schemas),
    signedContent: readChoice(options, 'signedContent', ['body', 'body-without-signature']),
    clock: readClock(options.clock),
  }
}

type Given = Readonly<Record<string, unknown>>

function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).find((name) => !NAMES.has(name))
  if (unknown === undefined) return
  const nearest = nearestName(unknown, NAMES)
  const suggestion = nearest === undefined ? `It has: ${[...NAMES].join(', ')}.` : `Did you mean "${nearest}"?`
  throw new WebhookError('option_unknown', `createReceiver has no option ${JSON.stringify(unknown)}. ${suggestion}`)
}

function readDuration(options: object, name: keyof typeof DEFAULTS): number {
  const value = (options as Given)[name]
  if (value === undefined) return DEFAULTS[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw invalid(name, 'a whole number above 0', value)
}

function readChoice<Choice extends string>(
  options: object,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const value = (options as Given)[name]
  if (value === undefined) return choices[0]
  const chosen = choices.find((choice) => choice === value)
  if (chosen === undefined) throw invalid(name, choices.map((choice) => `'${choice}'`).join(' or '), value)
  return chosen
}

function readFunction(options: object, name: string): void {
  const value = (options as Given)[name]
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'a function', value)
}

function readSchemas(schemas: unknown = {}): EventSchemas {
  if (!isObject(schemas)) throw invalid('schemas', 'an object with a schema per event type', schemas)
  for (const [type, schema] of Object.entries(schemas)) {
    if (!isEventType(type)) {
      const nearest = nearestName(type, EVENT_TYPES)
      const suggestion = nearest === undefined ? `Known: ${EVENT_TYPES.join(', ')}.` : `Did you mean "${nearest}"?`
      throw new WebhookError(
        'event_type_unknown',
        `schemas must name known events, and ${JSON.stringify(type)} is unknown. ${suggestion}`,
      )
    }
    if (schema !== undefined && !isStandardSchema(schema)) {
      throw invalid(`schemas['${type}']`, 'a Standard Schema (zod 3.24 or newer …)', schema)
    }
  }
  return schemas as EventSchemas
}

function canDiscard(sink: QuarantineSink | undefined): boolean {
  try {
    return typeof sink?.discard === 'function'
  } catch {
    return false
  }
}

function isStandardSchema(schema: unknown): boolean {
  try {
    return typeof (schema as Partial<StandardSchema> | null)?.['~standard']?.validate === 'function'
  } catch {
    return false
  }
}

function readClock(clock: Clock = systemClock): Clock {
  if (clock === systemClock) return clock
  if (typeof clock?.now === 'function' && typeof clock.setTimer === 'function') return guardClock(clock)
  throw invalid('clock', 'an object with now() and setTimer()', clock)
}

function invalid(name: string, expected: string, value: unknown): WebhookError {
  // A string isn't repeated, because a mixed-up variable may hold the secret.
  const actual =
    typeof value === 'string'
      ? `a string of ${value.length} characters`
      : typeof value === 'number'
        ? value
        : typeof value
  return new WebhookError('option_invalid', `${name} must be ${expected}; it is ${actual}.`)
}

const STORE_METHODS = ['claim', 'renew', 'complete', 'release'] as const

function refuseUnsuitable(store: unknown): void {
  const given = Object(store) as Given
  if (STORE_METHODS.every((method) => typeof given[method] === 'function')) return
  if (['get', 'put', 'list', 'delete'].every((method) => typeof given[method] === 'function')) {
    throw new WebhookError(
      'store_unsuitable',
      'store is a Workers KV namespace. KV has no atomic write, so two copies of a delivery would both be processed. ' +
        'Use durableObjectStore (govalid-webhooks/stores/durable-object) or d1Store (govalid-webhooks/stores/d1).',
    )
  }
  throw new WebhookError(
    'store_unsuitable',
    `store must have the methods ${STORE_METHODS.join(', ')}. Use a store from govalid-webhooks/stores/…, or see docs/how-to/custom-store.md.`,
  )
}
