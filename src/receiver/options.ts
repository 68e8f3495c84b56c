/**
 * The options of `createReceiver`, and their check: what is wrong throws at creation with a code and the cure.
 */
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import type { SecretSource } from '../crypto/secrets.js'
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, isEventType } from '../events/event-types.js'
import { isObject } from '../events/shapes.js'
import type { EventSchemas, StandardSchema } from '../events/standard-schema.js'
import type { Inbox } from '../inboxes/inbox.js'
import type { QuarantineSink, Store } from '../stores/store.js'
import type { ErrorReport, Outcome } from '../types.js'

/** Everything `createReceiver` takes. Only `secret` is needed. */
export interface ReceiverOptions<Schemas extends EventSchemas = EventSchemas, Transaction = never> {
  /**
   * The webhook's secret; several while one is rotated; or a function called on the first delivery (for secret managers, `next build`
   * and Workers). A function that throws is called again with the next delivery; only its success is kept.
   */
  readonly secret: SecretSource
  /** Where deliveries are remembered. Default: {@link memoryStore}; `false`: no deduplication and no try budget. */
  readonly store?: Store<Transaction> | false
  /** Where verified deliveries wait to be worked after the answer. Default: none, they are worked before it. */
  readonly inbox?: Inbox
  /** Where deliveries go that cannot be worked. Default: the store's own, or the inbox's; else they are reported and dropped. */
  readonly quarantine?: QuarantineSink
  /** What makes two deliveries the same. Its result is hashed. Default: the raw body's bytes. */
  readonly idempotencyKey?: (delivery: {
    readonly rawBody: Uint8Array
    readonly payload: Readonly<Record<string, unknown>>
  }) => string
  /** The largest body in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number
  /** How long a body may take to arrive, in milliseconds. Default: 2,500. */
  readonly bodyDeadlineMs?: number
  /** When an answer is given at the latest, in milliseconds; GoValid waits 5,000. Default: 4,500. */
  readonly deadlineMs?: number
  /** How long handlers may go on in all, in milliseconds, at most 24 days. Default: 15 minutes. */
  readonly handlerTimeoutMs?: number
  /** The oldest `timestamp` that is worked, in milliseconds; `false`: any. Default: 72 hours. */
  readonly maxAgeMs?: number | false
  /** `'report'` hands over what departs from the documented shape, with issues; `'strict'` quarantines it. Default: `'report'`. */
  readonly validation?: 'report' | 'strict'
  /** A Standard Schema (zod, valibot, arktype …) per event type for `event.data`; its output is what the handler sees. */
  readonly schemas?: Schemas
  /** What the signature covers. Default: `'body'`. See `docs/unknowns.md` before changing it. */
  readonly signedContent?: 'body' | 'body-without-signature'
  /** Called with every outcome, reasons of refusals included. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Called with everything that went otherwise than planned. Default: `console.error`, at most one line per code a minute. */
  readonly onError?: (report: ErrorReport) => void
  /** The clock, for tests. */
  readonly clock?: Clock
}

/** Options with every default filled in. */
export interface Settings {
  readonly inbox: Inbox | undefined
  readonly quarantine: QuarantineSink | undefined
  readonly idempotencyKey: ReceiverOptions['idempotencyKey']
  readonly maxBodyBytes: number
  readonly bodyDeadlineMs: number
  readonly deadlineMs: number
  readonly handlerTimeoutMs: number
  readonly maxAgeMs: number | false
  readonly validation: 'report' | 'strict'
  readonly schemas: EventSchemas
  readonly signedContent: 'body' | 'body-without-signature'
  readonly clock: Clock
}

const NAMES: Readonly<Record<keyof ReceiverOptions, true>> = {
  secret: true,
  store: true,
  inbox: true,
  quarantine: true,
  idempotencyKey: true,
  maxBodyBytes: true,
  bodyDeadlineMs: true,
  deadlineMs: true,
  handlerTimeoutMs: true,
  maxAgeMs: true,
  validation: true,
  schemas: true,
  signedContent: true,
  onOutcome: true,
  onError: true,
  clock: true,
}

const SENDER_WAITS_MS = 5000
/** With what is added to it where nobody waits for an answer, a little less than the longest that a timer can be set for. */
const MAX_HANDLER_MS = 24 * 24 * 60 * 60 * 1000

/**
 * Fills in the defaults.
 *
 * @throws {@link WebhookError} `option_unknown`, `option_invalid`, `event_type_unknown`, `store_unsuitable`.
 */
export function readOptions(options: ReceiverOptions<EventSchemas, unknown>): Settings {
  refuseUnknown(options)
  const deadlineMs = readDuration(options, 'deadlineMs', 4500)
  const bodyDeadlineMs = readDuration(options, 'bodyDeadlineMs', Math.min(2500, deadlineMs))
  if (deadlineMs >= SENDER_WAITS_MS) {
    throw invalid('deadlineMs', `below ${SENDER_WAITS_MS}, since GoValid gives up on an answer after 5 s`, deadlineMs)
  }
  if (bodyDeadlineMs > deadlineMs) throw invalid('bodyDeadlineMs', 'no longer than deadlineMs', bodyDeadlineMs)
  const handlerTimeoutMs = readDuration(options, 'handlerTimeoutMs', 15 * 60 * 1000)
  if (handlerTimeoutMs > MAX_HANDLER_MS) {
    throw invalid('handlerTimeoutMs', `at most ${MAX_HANDLER_MS}, which is 24 days`, handlerTimeoutMs)
  }
  const { store, inbox, quarantine, idempotencyKey } = options
  if (store !== undefined && store !== false) refuseUnsuitable(store)
  if (inbox !== undefined && typeof inbox?.accept !== 'function') {
    throw invalid('inbox', 'an inbox of govalid-webhooks/inboxes/…', inbox)
  }
  const maxBodyBytes = readDuration(options, 'maxBodyBytes', 1024 * 1024)
  const inboxBytes = inbox?.maxBodyBytes ?? maxBodyBytes
  if (maxBodyBytes > inboxBytes)
    throw invalid('maxBodyBytes', `at most ${inboxBytes}, which is what the inbox can take`, maxBodyBytes)
  for (const hook of ['quarantine', 'idempotencyKey', 'onOutcome', 'onError'] as const) readFunction(options, hook)
  return {
    inbox,
    quarantine: quarantine ?? (store ? store.quarantine : undefined) ?? inbox?.quarantine,
    idempotencyKey,
    maxBodyBytes,
    bodyDeadlineMs,
    deadlineMs,
    handlerTimeoutMs,
    maxAgeMs: options.maxAgeMs === false ? false : readDuration(options, 'maxAgeMs', 72 * 60 * 60 * 1000),
    validation: readChoice(options, 'validation', ['report', 'strict']),
    schemas: readSchemas(options.schemas),
    signedContent: readChoice(options, 'signedContent', ['body', 'body-without-signature']),
    clock: readClock(options.clock),
  }
}

type Given = Readonly<Record<string, unknown>>

function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name))
  if (unknown === undefined) return
  throw new WebhookError(
    'option_unknown',
    `createReceiver has no option ${JSON.stringify(unknown)}. It has: ${Object.keys(NAMES).join(', ')}.`,
  )
}

function readDuration(options: object, name: string, fallback: number): number {
  const value = (options as Given)[name]
  if (value === undefined) return fallback
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
      const known = `Known: ${EVENT_TYPES.join(', ')}.`
      throw new WebhookError(
        'event_type_unknown',
        `schemas names no known event with ${JSON.stringify(type)}. ${known}`,
      )
    }
    const standard = (schema as Partial<StandardSchema> | null | undefined)?.['~standard']
    if (schema !== undefined && typeof standard?.validate !== 'function') {
      throw invalid(`schemas['${type}']`, 'a Standard Schema (zod, valibot, arktype …)', schema)
    }
  }
  return schemas as EventSchemas
}

function readClock(clock: Clock = systemClock): Clock {
  if (typeof clock?.now === 'function' && typeof clock.setTimer === 'function') return clock
  throw invalid('clock', 'an object with now() and setTimer()', clock)
}

function invalid(name: string, expected: string, value: unknown): WebhookError {
  // Text is not repeated: a mixed-up variable may hold the secret.
  const came =
    typeof value === 'string' ? `text of ${value.length} characters` : typeof value === 'number' ? value : typeof value
  return new WebhookError('option_invalid', `${name} must be ${expected}; it is ${came}.`)
}

const STORE_METHODS = ['claim', 'renew', 'complete', 'release'] as const

function refuseUnsuitable(store: unknown): void {
  const given = Object(store) as Given
  if (STORE_METHODS.every((method) => typeof given[method] === 'function')) return
  if (['get', 'put', 'list', 'delete'].every((method) => typeof given[method] === 'function')) {
    throw new WebhookError(
      'store_unsuitable',
      'This looks like a Workers KV namespace. KV has no atomic step, so two deliveries would both be first. ' +
        'Use durableObjectStore (govalid-webhooks/stores/durable-object) or d1Store (govalid-webhooks/stores/d1).',
    )
  }
  throw new WebhookError(
    'store_unsuitable',
    `store must have the methods ${STORE_METHODS.join(', ')}. Use a store of govalid-webhooks/stores/…, or see docs/custom-store.md.`,
  )
}
