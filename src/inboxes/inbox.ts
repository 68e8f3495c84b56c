/**
 * The inbox contract: what a driver promises so that a delivery can be answered in milliseconds and worked later. A driver is one plain
 * object over an engine that exists; retries, back-off and dead letters are the engine's own.
 *
 * 1. **Durable.** `accept` resolves only when the delivery survives a crash of everything; else it rejects, and the sender is answered 503.
 * 2. **Verified again.** What comes out of the engine is given to `work` as it is: the receiver checks the signature again, so that nothing
 *    that somebody else wrote into the queue is ever run.
 * 3. **At least once.** A job that was taken and not finished is given to `work` again. Once-only comes from the store's claim within
 *    `work`; the engine's own job id, derived from the key, is a bonus.
 * 4. **Finished means finished.** When `isFinished(outcome)` holds the job is done. Else it is tried again after a pause that grows. The
 *    last try is announced with `last`: the receiver then gives a failing delivery to the quarantine. Where there is none, or that fails, the
 *    job stays in the engine's own dead letter.
 */
import type { QuarantineSink } from '../stores/store.js'
import type { Outcome } from '../types.js'

/** A verified delivery as an inbox keeps it: what it takes to verify and work it again. */
export interface AcceptedDelivery {
  /** What it is deduplicated by: 64 lower-case hex digits. */
  readonly key: string
  /** The body as received, byte for byte. */
  readonly rawBody: Uint8Array
  /** The headers as received, names in lower case; the signature is among them. */
  readonly headers: Readonly<Record<string, string>>
  /** When it was received, in epoch milliseconds: its age was judged then. */
  readonly receivedAt: number
}

/** Which try of the engine a job is at. */
export interface InboxAttempt {
  /** From 1. */
  readonly number: number
  /** Whether the engine will not try again. */
  readonly last: boolean
  /** Whether the last try was handed out before and never came to an end: the handlers are not run again then. Default: `false`. */
  readonly over?: boolean
}

/** Works one job to its end; never rejects. Given to a driver by the receiver. */
export type InboxProcessor = (delivery: AcceptedDelivery, attempt: InboxAttempt) => Promise<Outcome>

/** What an inbox holds. */
export interface InboxStatus {
  /** Accepted and not yet worked, retries included. */
  readonly waiting: number
  /** Being worked now; `undefined` where the engine does not tell. */
  readonly processing: number | undefined
  /** In the engine's own dead letter. */
  readonly failed: number
  /** When the oldest that waits was accepted, in epoch milliseconds. */
  readonly oldestWaitingAt: number | undefined
}

/** Where verified deliveries wait. */
export interface Inbox {
  /** Takes a delivery; resolves once it is durable. A delivery whose key waits already is taken once. */
  accept(delivery: AcceptedDelivery): Promise<void>
  /** Begins to work what waits, and what comes; absent where the platform delivers jobs by itself. */
  start?(process: InboxProcessor): void | Promise<void>
  /** Takes no further job and waits for those that run. */
  stop?(): Promise<void>
  /** Counts what it holds; absent where the engine does not tell. */
  status?(): Promise<InboxStatus>
  /** The largest body it can take, in bytes; creation refuses a larger `maxBodyBytes`. Default: any. */
  readonly maxBodyBytes?: number
  /** The driver's own quarantine, used when neither the receiver nor its store has another. */
  readonly quarantine?: QuarantineSink
}

/**
 * Whether a job is done. What is not is worth another try: one that is `refused` too, for it was accepted before, and only a worker without
 * its secret refuses it now.
 */
export function isFinished(outcome: Outcome): boolean {
  return ['processed', 'duplicate', 'ignored', 'quarantined'].includes(outcome.status)
}

const FORMAT = 1

/** A delivery as JSON, for engines that keep text. */
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
 * Reads a job. What is none was written by somebody else: it becomes a delivery without a signature, which `work` refuses and sets aside.
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
