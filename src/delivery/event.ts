/**
 * Stage 4 of 8, event: turns an envelope into a typed event. In: the envelope. Out: the event, its issues and its time.
 * Quarantines events that are too old or too far in the future, and events that a user's schema refuses.
 */
import type { QuarantinedCode } from '../errors.js'
import { isEventType } from '../events/event-types.js'
import type { GoValidEvent, Issue, UnknownEvent } from '../events/events.js'
import { findIssues, isObject } from '../events/shapes.js'
import type { EventSchemas, SchemaIssue, StandardSchema } from '../events/standard-schema.js'
import { readTimestamp } from '../events/timestamp.js'
import type { PayloadEnvelope } from './envelope.js'

/** How far ahead of the receiver's clock a `timestamp` may be. */
const FUTURE_ALLOWANCE_MS = 24 * 60 * 60 * 1000
/** How long an event without a readable `timestamp` is remembered. */
const UNDATED_RETENTION_MS = 30 * 24 * 60 * 60 * 1000

/** An event ready for its handlers. */
export interface ReadEvent {
  readonly event: GoValidEvent | UnknownEvent
  readonly known: boolean
  readonly issues: readonly Issue[]
  /** The event's own time in epoch milliseconds, if its `timestamp` is readable. */
  readonly epochMs: number | undefined
}

/**
 * Reads a payload as an event. The payload stays as it is, but `data` that isn't an object becomes `{}`.
 * `hasSchema`: only the user's schema checks `data`, so it stays as it was sent.
 */
export function readEvent({ type, payload }: PayloadEnvelope, hasSchema = false): ReadEvent {
  const time = readTimestamp(payload['timestamp'])
  const epochMs = time?.epochMs
  if (!isEventType(type)) return { event: payload as UnknownEvent, known: false, issues: [], epochMs }
  const issues = findIssues(type, payload)
  if (!time?.documented && typeof payload['timestamp'] === 'string')
    issues.push({ path: ['timestamp'], expected: 'ISO 8601 with an offset', received: 'string' })
  const isKept = hasSchema || isObject(payload['data'])
  const event = (isKept ? payload : { ...payload, data: {} }) as unknown as GoValidEvent
  return { event, known: true, issues: hasSchema ? issues.filter(({ path }) => path[0] !== 'data') : issues, epochMs }
}

/** Why an event's age forbids processing it; `undefined` if nothing does. */
export function judgeAge({ epochMs }: ReadEvent, now: number, maxAgeMs: number | false): QuarantinedCode | undefined {
  if (maxAgeMs === false || epochMs === undefined) return undefined
  if (now - epochMs > maxAgeMs) return 'stale'
  return epochMs - now > FUTURE_ALLOWANCE_MS ? 'from_future' : undefined
}

/**
 * Until when a delivery must be remembered, in epoch milliseconds: as long as its bytes would be processed again.
 * `isFromSender`: a delivery from the quarantine or an inbox may be past its maximum age, and a retention in the past would expire at once.
 */
export function retainUntil(
  { epochMs }: ReadEvent,
  receivedAt: number,
  maxAgeMs: number | false,
  isFromSender: boolean,
): number {
  const undated = receivedAt + UNDATED_RETENTION_MS
  if (maxAgeMs === false || epochMs === undefined) return undated
  const dated = epochMs + maxAgeMs + FUTURE_ALLOWANCE_MS
  return isFromSender ? dated : Math.max(dated, undated)
}

/** The result of a user's schema: the event with the schema's output as `data`, or the reasons for refusing it. */
export type SchemaVerdict = { readonly event: GoValidEvent | UnknownEvent } | { readonly refused: string }

/**
 * Applies a user's schema to the `data` of an event.
 *
 * @throws the error that the schema throws.
 */
export async function applySchema(schema: StandardSchema, event: ReadEvent['event']): Promise<SchemaVerdict> {
  const result = await schema['~standard'].validate((event as GoValidEvent).data)
  if (typeof result !== 'object' || result === null || !('value' in result || result.issues)) {
    throw new TypeError('the schema returned neither a value nor issues')
  }
  if (result.issues) return { refused: result.issues.map(describeIssue).join('; ') }
  return { event: { ...event, data: result.value } as unknown as GoValidEvent }
}

function describeIssue({ message, path = [] }: SchemaIssue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return keys.length === 0 ? message : `data.${keys.join('.')}: ${message}`
}

/** The user's schema for an event type, if there is one. */
export function schemaFor(type: string, schemas: EventSchemas): StandardSchema | undefined {
  return isEventType(type) ? schemas[type] : undefined
}
