/**
 * The inbox contract. A driver stores verified deliveries durably, so the receiver responds in milliseconds and runs the handlers later.
 * A driver is one plain object over an existing engine. The engine provides retries, back-off and a dead letter queue.
 *
 * 1. **Durable.** `accept` resolves only when the delivery survives any crash. Otherwise it rejects, and the receiver responds with 503.
 * 2. **Verified again.** The driver passes every job to `process` unchanged. The receiver checks the signature again, so a forged job in the
 *    queue never reaches a handler.
 * 3. **At least once.** The driver passes a job that was taken but not finished to `process` again. The store's claim inside `process`
 *    prevents double processing. The engine's own job id, derived from the key, is a bonus.
 * 4. **Finished means finished.** A job is done when `isFinished(outcome)` is true. Otherwise the engine retries it after a growing pause.
 *    The driver marks the last attempt with `last`, and the receiver then quarantines a failing delivery. Without a quarantine, or if the
 *    quarantine fails, the job stays in the engine's dead letter queue.
 */
import type { QuarantineSink } from '../stores/store.js'
import type { Outcome } from '../types.js'

/** A verified delivery as an inbox stores it: everything needed to verify and process it again. */
export interface AcceptedDelivery {
  /** The key that identifies the delivery: 64 lower-case hex digits. */
  readonly key: string
  /** The body as received, byte for byte. */
  readonly rawBody: Uint8Array
  /** The headers as received, names in lower case. They include the signature. */
  readonly headers: Readonly<Record<string, string>>
  /** When it was received, in epoch milliseconds. The receiver judges its age by this time. */
  readonly receivedAt: number
}

/** The engine's attempt at a job. */
export interface InboxAttempt {
  /** Counted from 1. */
  readonly number: number
  /** Whether the engine makes no further attempt. */
  readonly last: boolean
  /** Whether an earlier last attempt started and never ended. The receiver then doesn't run the handlers again. Default: `false`. */
  readonly over?: boolean | undefined
}

/** Processes one job to its end and never rejects. The receiver passes it to `start`. */
export type InboxProcessor = (delivery: AcceptedDelivery, attempt: InboxAttempt) => Promise<Outcome>

/** The number of jobs in an inbox, by state. */
export interface InboxStatus {
  /** Accepted and not processed yet, including jobs that wait for a retry. */
  readonly waiting: number
  /** Being processed now. `undefined` if the engine doesn't report it. */
  readonly processing: number | undefined
  /** In the engine's dead letter queue. */
  readonly failed: number
  /** When the oldest waiting job was accepted, in epoch milliseconds. */
  readonly oldestWaitingAt: number | undefined
}

/** A durable queue of verified deliveries. */
export interface Inbox {
  /** Stores a delivery and resolves once it is durable. A key that is already waiting isn't stored twice. */
  accept(delivery: AcceptedDelivery): Promise<void>
  /** Starts to process waiting and new jobs. Absent if the platform delivers jobs itself. */
  start?(process: InboxProcessor): void | Promise<void>
  /** Takes no further job and waits for the running ones. */
  stop?(): Promise<void>
  /** Counts the jobs. Absent if the engine doesn't report them. */
  status?(): Promise<InboxStatus>
  /** The largest body it can store, in bytes. `createReceiver` refuses a larger `maxBodyBytes`. Default: no limit. */
  readonly maxBodyBytes?: number | undefined
  /** The driver's own quarantine, used if neither the receiver nor its store has one. */
  readonly quarantine?: QuarantineSink | undefined
}

/**
 * Whether a job is done. Every other outcome is worth another attempt. That includes `refused`: the job was accepted before, so only a
 * process without its secret refuses it now.
 */
export function isFinished(outcome: Outcome): boolean {
  return ['processed', 'duplicate', 'ignored', 'quarantined'].includes(outcome.status)
}

const FORMAT = 1

/** A delivery as JSON, for engines that store text. */
export interface Job {
  readonly format: 1
  readonly key: string
  /** Base64. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly receivedAt: number
}

/** Writes a delivery as a job. */
export function toJob({ key, rawBody, headers, receivedAt }: AcceptedDelivery): Job {
  let binary = ''
  for (let index = 0; index < rawBody.length; index += 8192) {
    binary += String.fromCharCode(...rawBody.subarray(index, index + 8192))
  }
  return { format: FORMAT, key, body: btoa(binary), headers, receivedAt }
}

/**
 * Reads a job. A value in another format comes from another writer: it becomes a delivery without a signature, which the receiver
 * quarantines as forged.
 */
export function fromJob(job: unknown): AcceptedDelivery {
  const { format, key, body, headers, receivedAt } = (job ?? {}) as Partial<Record<keyof Job, unknown>>
  const rawBody = typeof body === 'string' ? fromBase64(body) : undefined
  const isJob = format === FORMAT && typeof key === 'string' && typeof receivedAt === 'number' && isHeaders(headers)
  if (rawBody && isJob) return { key, rawBody, headers, receivedAt }
  return { key: '', rawBody: new TextEncoder().encode(JSON.stringify(job) ?? ''), headers: {}, receivedAt: 0 }
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function isHeaders(value: unknown): value is Job['headers'] {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}
