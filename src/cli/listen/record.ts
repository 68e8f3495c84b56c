/** A delivery as it is kept: what came, what was made of it, what was answered. In: bytes and headers. Out: a line of the log. */
import { createHash, randomUUID } from 'node:crypto'
import { isObject } from '../../events/shapes.js'
import type { DeliverySummary, GivenResponse, HeaderLine, Origin } from '../inspector/wire.js'

/** A request whose body has been read. */
export interface Arrival {
  readonly origin: Origin
  readonly method: string
  readonly path: string
  readonly headers: readonly HeaderLine[]
  readonly rawBody: Uint8Array
  /** Whether the body was refused before it was read to its end. */
  readonly isCut: boolean
}

/** One delivery. It holds no secret. */
export interface DeliveryRecord extends Omit<Arrival, 'rawBody'> {
  readonly id: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** The exact bytes, in base64. */
  readonly body: string
  /** SHA-256 of the bytes: the same for every try of a delivery. */
  readonly digest: string
  readonly verified: boolean
  /** Which time these bytes came, from 1. */
  readonly time: number
  /** Absent until it is answered. */
  readonly response?: GivenResponse
}

/** Makes the record of an arrival. */
export function toRecord({ rawBody, ...arrival }: Arrival, verified: boolean): Omit<DeliveryRecord, 'time'> {
  const body = Buffer.from(rawBody).toString('base64')
  const digest = createHash('sha256').update(rawBody).digest('hex')
  return { id: randomUUID(), receivedAt: Date.now(), ...arrival, body, digest, verified }
}

/** The bytes of a record. */
export function bytesOf({ body }: Pick<DeliveryRecord, 'body'>): Buffer {
  return Buffer.from(body, 'base64')
}

/** What the list shows of a record. */
export function summarise(record: DeliveryRecord): DeliverySummary {
  const { id, receivedAt, origin, method, path, verified, time, response } = record
  const bytes = bytesOf(record)
  return {
    ...{ id, receivedAt, origin, method, path, verified, time },
    event: eventOf(bytes),
    bytes: bytes.length,
    answered: response !== undefined,
    status: response?.status ?? null,
    outcome: response?.outcome ?? null,
    failure: response?.failure ?? null,
    tookMs: response?.tookMs ?? null,
  }
}

const MAX_NAME_LENGTH = 200

/** The name of the event in a body, or in brackets what stands in its place. */
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

/** A header's value, by its lower-case name. Values of repeated headers are joined, as Node does. */
export function headerOf(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Whether a value from the file is a record that this version can show. */
export function isRecord(value: unknown): value is DeliveryRecord {
  if (!isObject(value)) return false
  const { id, origin, method, path, body, digest, headers, receivedAt, time, verified, isCut, response } = value
  const isText = [id, origin, method, path, body, digest].every((field) => typeof field === 'string')
  const isCounted = Number.isFinite(receivedAt) && Number.isInteger(time)
  const isJudged = typeof verified === 'boolean' && typeof isCut === 'boolean'
  return isText && isCounted && isJudged && isHeaders(headers) && (response === undefined || isResponse(response))
}

/** Whether a value from the file is an answer. */
export function isResponse(value: unknown): value is GivenResponse {
  if (!isObject(value)) return false
  const { by, status, outcome, failure, headers, text, tookMs } = value
  const isTold = [outcome, failure].every((field) => field === null || typeof field === 'string')
  const isTimed = typeof tookMs === 'number' && (status === null || typeof status === 'number')
  return (by === 'listen' || by === 'forward') && isTold && isTimed && typeof text === 'string' && isHeaders(headers)
}

function isHeaders(value: unknown): value is readonly HeaderLine[] {
  const isLine = (line: unknown) =>
    Array.isArray(line) && line.length === 2 && line.every((part) => typeof part === 'string')
  return Array.isArray(value) && value.every(isLine)
}
