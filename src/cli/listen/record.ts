/** The record of a delivery in the log: the request, its verification and the response. */
import { createHash, randomUUID } from 'node:crypto'
import { isObject } from '../../events/shapes.js'
import type { DeliveryResponse, DeliverySummary, HeaderLine, Origin } from '../inspector/wire.js'

/** A request and its body. */
export interface Arrival {
  readonly origin: Origin
  readonly method: string
  readonly path: string
  readonly headers: readonly HeaderLine[]
  readonly rawBody: Uint8Array
  /** Whether the body is incomplete, because it was refused while it was read. */
  readonly isCut: boolean
}

/** A recorded delivery. It contains no secret. */
export interface DeliveryRecord extends Omit<Arrival, 'rawBody'> {
  readonly id: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** The exact bytes in base64. */
  readonly body: string
  /** The SHA-256 of the bytes, which is the same for every attempt of a delivery. */
  readonly digest: string
  readonly verified: boolean
  /** The number of the attempt with these bytes, from 1. */
  readonly attempt: number
  /** Absent until the delivery is finished. */
  readonly response?: DeliveryResponse
}

/** Creates the record of an arrival. */
export function toRecord({ rawBody, ...arrival }: Arrival, verified: boolean): Omit<DeliveryRecord, 'attempt'> {
  const body = Buffer.from(rawBody).toString('base64')
  const digest = createHash('sha256').update(rawBody).digest('hex')
  return { id: randomUUID(), receivedAt: Date.now(), ...arrival, body, digest, verified }
}

/** Returns the body of a record as bytes. */
export function bytesOf({ body }: Pick<DeliveryRecord, 'body'>): Buffer {
  return Buffer.from(body, 'base64')
}

/** Returns the summary of a record for the list. */
export function summarize(record: DeliveryRecord): DeliverySummary {
  const { id, receivedAt, origin, method, path, verified, attempt, response } = record
  const bytes = bytesOf(record)
  return {
    ...{ id, receivedAt, origin, method, path, verified, attempt },
    event: eventOf(bytes),
    bytes: bytes.length,
    finished: response !== undefined,
    status: response?.status ?? null,
    outcome: response?.outcome ?? null,
    failure: response?.failure ?? null,
    tookMs: response?.tookMs ?? null,
  }
}

const MAX_NAME_LENGTH = 200

/** Returns the event name in a body, or a placeholder such as `(not JSON)`. */
export function eventOf(body: Uint8Array): string {
  if (body.length === 0) return '(no body)'
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(body)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
    const name = isObject(payload) ? payload['event'] : undefined
    return typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME_LENGTH) : '(no event)'
  } catch {
    return '(not JSON)'
  }
}

/** Returns the value of a header by its lower-case name. Repeated headers are joined, as Node does. */
export function headerOf(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Whether a value from the file is a record. */
export function isRecord(value: unknown): value is DeliveryRecord {
  if (!isObject(value)) return false
  const { id, origin, method, path, body, digest, headers, receivedAt, attempt, verified, isCut, response } = value
  const isText = [id, origin, method, path, body, digest].every((field) => typeof field === 'string')
  const isCounted = Number.isFinite(receivedAt) && Number.isInteger(attempt)
  const isJudged = typeof verified === 'boolean' && typeof isCut === 'boolean'
  return isText && isCounted && isJudged && isHeaders(headers) && (response === undefined || isResponse(response))
}

/** Whether a value from the file is a response. */
export function isResponse(value: unknown): value is DeliveryResponse {
  if (!isObject(value)) return false
  const { by, status, outcome, failure, headers, text, tookMs } = value
  const hasResult = [outcome, failure].every((field) => field === null || typeof field === 'string')
  const isTimed = typeof tookMs === 'number' && (status === null || typeof status === 'number')
  return (by === 'listen' || by === 'forward') && hasResult && isTimed && typeof text === 'string' && isHeaders(headers)
}

function isHeaders(value: unknown): value is readonly HeaderLine[] {
  const isLine = (line: unknown) =>
    Array.isArray(line) && line.length === 2 && line.every((part) => typeof part === 'string')
  return Array.isArray(value) && value.every(isLine)
}
