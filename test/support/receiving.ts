/** A receiver on a fixed clock with a simulated GoValid in front: it signs payloads, delivers them and retries as GoValid does. */
import { createHmac } from 'node:crypto'
import { toResponse } from '../../src/delivery/response.js'
import {
  createReceiver,
  type Delivery,
  type ErrorReport,
  type EventSchemas,
  type Outcome,
  type Receiver,
  type ReceiverOptions,
  type ReportedOutcome,
} from '../../src/index.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME, scannedEvent } from './payloads.js'

/** The secret that every delivery is signed with. */
export const SECRET = 'your_webhook_secret'

/** Milliseconds. */
export const SECOND = 1000
/** Milliseconds. */
export const MINUTE = 60 * SECOND
/** Milliseconds. */
export const HOUR = 60 * MINUTE

/** The times of GoValid's attempts, in minutes after the event. Source: govalid docs, webhooks setup, in its longer reading. */
const ATTEMPT_MINUTES = [0, 1, 6, 21, 81] as const

/** The body to deliver. An object is serialized as compact JSON. */
export type Sent = object | string | Uint8Array

/** The outcome, HTTP status and duration of one attempt. */
export interface Attempt {
  readonly outcome: Outcome
  readonly http: number
  /** The time until the response, in milliseconds of the fixed clock. */
  readonly ms: number
}

/** A receiver with its clock, its outcomes and reports, and functions that deliver to it. */
export interface Receiving<Schemas, Transaction> {
  readonly clock: FixedClock
  readonly receiver: Receiver<Schemas, Transaction>
  readonly outcomes: readonly Outcome[]
  /** The outcomes of handlers that ended after the response. */
  readonly lateOutcomes: readonly Outcome[]
  /** The duration of each call of `onOutcome`, in milliseconds. */
  readonly durations: readonly number[]
  readonly reports: readonly ErrorReport[]
  /** Delivers once, signed, without advancing the clock. */
  deliver(sent?: Sent, changes?: Partial<Delivery>): Promise<Outcome>
  /** Makes one attempt: delivers once, signed, and advances the clock until the response. */
  attempt(sent?: Sent, changes?: Partial<Delivery>): Promise<Attempt>
  /** Makes GoValid's attempts at its times from now on, until one gets 200 or five have been made. */
  attempts(sent?: Sent, changes?: Partial<Delivery>): Promise<readonly Attempt[]>
  /** How many reports have a code. */
  reported(code: ErrorReport['code']): number
}

/** Makes a receiver whose clock starts at the time of the setup guide's event. */
export function receiving<const Schemas extends EventSchemas = Record<never, never>, Transaction = never>(
  options: Partial<ReceiverOptions<Schemas, Transaction>> & { readonly clock?: FixedClock } = {},
): Receiving<Schemas, Transaction> {
  const clock = options.clock ?? fixedClock(EVENT_TIME)
  const outcomes: Outcome[] = []
  const lateOutcomes: Outcome[] = []
  const durations: number[] = []
  const reports: ErrorReport[] = []
  const allOptions = {
    secret: SECRET,
    onError: (report: ErrorReport) => void reports.push(report),
    onOutcome({ durationMs, late, ...outcome }: ReportedOutcome) {
      if (late) lateOutcomes.push(outcome as Outcome)
      else outcomes.push(outcome as Outcome)
      durations.push(durationMs)
    },
    ...options,
    clock,
  } as ReceiverOptions<Schemas, Transaction>
  const receiver = createReceiver(allOptions) as Receiver<Schemas, Transaction>
  const scene: Receiving<Schemas, Transaction> = {
    clock,
    receiver,
    outcomes,
    lateOutcomes,
    durations,
    reports,
    deliver: (sent, changes) => receiver.receive(deliveryOf(sent, changes)),
    async attempt(sent, changes) {
      const { value, ms } = await timed(clock, receiver.receive(deliveryOf(sent, changes)))
      return { outcome: value, http: toResponse(value).status, ms }
    },
    async attempts(sent, changes) {
      const since = clock.now()
      const made: Attempt[] = []
      for (const minutes of ATTEMPT_MINUTES) {
        await clock.advance(Math.max(0, since + minutes * MINUTE - clock.now()))
        made.push(await scene.attempt(sent, changes))
        if (made.at(-1)?.http === 200) break
      }
      return made
    },
    reported: (code) => reports.filter((report) => report.code === code).length,
  }
  return scene
}

/** A signed delivery. */
export function deliveryOf(sent: Sent = scannedEvent(), changes: Partial<Delivery> = {}): Delivery {
  const body = bytesOf(sent)
  const headers: Readonly<Record<string, string>> = { 'x-govalid-signature': signatureOf(body) }
  return { method: 'POST', header: (name) => headers[name], headers: () => headers, body, ...changes }
}

/** The value of `X-GoValid-Signature` for a body, computed with `node:crypto` only. */
export function signatureOf(sent: Sent, secret: string = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(bytesOf(sent)).digest('hex')}`
}

function bytesOf(sent: Sent): Uint8Array {
  if (sent instanceof Uint8Array) return sent
  return new TextEncoder().encode(typeof sent === 'string' ? sent : JSON.stringify(sent))
}

const STEP_MS = 10
const MAX_MS = 60 * SECOND

/** Advances the clock in small steps until a promise has settled. */
async function timed<T>(clock: FixedClock, pending: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const since = clock.now()
  let isSettled = false
  const settled = pending.finally(() => {
    isSettled = true
  })
  settled.catch(() => {})
  await clock.advance(0)
  while (!isSettled) {
    if (clock.now() - since > MAX_MS) throw new Error('no response within a minute of the fixed clock')
    await clock.advance(STEP_MS)
  }
  return { value: await settled, ms: clock.now() - since }
}

/** Resolves after `ms` milliseconds of a clock, to simulate a slow handler or service. */
export function pause(clock: FixedClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(ms, resolve))
}
