/**
 * Stage 4 of 8, event: makes a typed event of a payload. In: the envelope. Out: the event, its issues, its age.
 * Quarantines what is too old or too far ahead, what a user's schema refuses, and in strict mode what departs from the documented shape.
 */
import type { QuarantinedCode } from '../errors.js'
import { isEventType } from '../events/event-types.js'
import type { GoValidEvent, Issue, UnknownEvent } from '../events/events.js'
import { findIssues, isObject } from '../events/shapes.js'
import type { EventSchemas, SchemaResult, StandardSchema } from '../events/standard-schema.js'
import { readTimestamp } from '../events/timestamp.js'

/** How far ahead of the receiver's clock a `timestamp` may be. */
export const FUTURE_ALLOWANCE_MS = 24 * 60 * 60 * 1000

/** An event ready for its handlers. */
export interface ReadEvent {
  readonly event: GoValidEvent | UnknownEvent
  readonly known: boolean
  readonly issues: readonly Issue[]
  /** The event's own time in epoch milliseconds, where it names one. */
  readonly epochMs: number | undefined
}

interface EventRules {
  readonly maxAgeMs: number | false
  readonly validation: 'report' | 'strict'
}

/** Reads a payload as an event. Nothing in it is changed, but `data` that is no object becomes `{}`. */
export function readEvent(type: string, payload: Readonly<Record<string, unknown>>): ReadEvent {
  const time = readTimestamp(payload['timestamp'])
  const epochMs = time?.epochMs
  if (!isEventType(type)) return { event: payload as UnknownEvent, known: false, issues: [], epochMs }
  const issues = findIssues(type, payload)
  if (!time?.documented && typeof payload['timestamp'] === 'string')
    issues.push({ path: ['timestamp'], expected: 'ISO 8601 with an offset', received: 'string' })
  const event = (isObject(payload['data']) ? payload : { ...payload, data: {} }) as unknown as GoValidEvent
  return { event, known: true, issues, epochMs }
}

/** Whether an event's age or shape forbids working it; `undefined` when nothing does. */
export function judgeEvent(read: ReadEvent, now: number, rules: EventRules): QuarantinedCode | undefined {
  if (rules.maxAgeMs !== false && read.epochMs !== undefined) {
    if (now - read.epochMs > rules.maxAgeMs) return 'stale'
    if (read.epochMs - now > FUTURE_ALLOWANCE_MS) return 'from_future'
  }
  return rules.validation === 'strict' && read.issues.length > 0 ? 'drift_refused' : undefined
}

/** What a user's schema makes of an event: the event with its output as `data`, or a refusal. */
export type SchemaVerdict = { readonly event: GoValidEvent | UnknownEvent } | { readonly refused: string }

/**
 * Applies the user's schema for this event type, where there is one.
 *
 * @throws whatever the schema throws.
 */
export async function applySchema(read: ReadEvent, schemas: EventSchemas): Promise<SchemaVerdict> {
  const schema = schemaFor(read.event.event, schemas)
  if (!schema) return { event: read.event }
  const result: SchemaResult<unknown> = await schema['~standard'].validate((read.event as GoValidEvent).data)
  if (result.issues) return { refused: result.issues.map((issue) => issue.message).join('; ') }
  return { event: { ...read.event, data: result.value } as unknown as GoValidEvent }
}

/** The user's schema for an event type. */
export function schemaFor(type: string, schemas: EventSchemas): StandardSchema | undefined {
  return isEventType(type) ? schemas[type] : undefined
}
