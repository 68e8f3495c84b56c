/**
 * One webhook subscription of a simulated GoValid. Sends each delivery on GoValid's schedule until an attempt gets a 200 or five have
 * failed, and disables itself as GoValid does. Source: govalid docs, webhooks setup.
 */
import { type Clock, withTimeout } from '../../clock.js'
import type { SignedDelivery } from '../sign-delivery.js'
import type { Post } from './endpoint.js'
import type { AttemptReport, DeliveryReport } from './report.js'

/** The settings of a subscription. */
export interface SubscriptionRules {
  readonly clock: Clock
  readonly post: Post
  readonly delays: 'cumulative' | 'from-event'
  readonly failures: 'per-event' | 'per-subscription'
  /** The divisor of every waiting time. */
  readonly speed: number
  readonly onAttempt: (attempt: AttemptReport, index: number) => void
}

/** A subscription. */
export interface Subscription {
  /** Sends one delivery, starting `afterMs` milliseconds from now, and resolves to its report. */
  send(signed: SignedDelivery, index: number, afterMs: number): Promise<DeliveryReport>
  /** Returns when the subscription was disabled, in epoch milliseconds; `undefined` while it is enabled. */
  disabledAt(): number | undefined
  /** Returns the number of requests that wait for a response. */
  inFlight(): number
}

/** The time that GoValid waits for a response. */
const RESPONSE_MS = 5000
/** The delay before each attempt. */
const DELAYS_MS = [0, 1, 5, 15, 60].map((minutes) => minutes * 60_000)
/** The number of failed attempts that disables the webhook. */
const MAX_FAILURES = 5

/** Creates an enabled subscription. */
export function createSubscription(rules: SubscriptionRules): Subscription {
  const { clock, failures } = rules
  const waiting = new Set<() => void>()
  let disabledAt: number | undefined
  let failuresInARow = 0
  let inFlight = 0

  const pauseUntil = (epochMs: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        cancel()
        waiting.delete(wake)
        resolve()
      }
      const cancel = clock.setTimer(epochMs - clock.now(), wake)
      waiting.add(wake)
    })

  const trackAttempt = async (signed: SignedDelivery, number: number): Promise<AttemptReport> => {
    inFlight += 1
    const attempt = await makeAttempt(rules, signed, number)
    inFlight -= 1
    return attempt
  }

  const countFailure = ({ isFailure, number }: AttemptReport) => {
    failuresInARow = isFailure ? failuresInARow + 1 : 0
    const failed = failures === 'per-event' ? (isFailure ? number : 0) : failuresInARow
    if (failed < MAX_FAILURES || disabledAt !== undefined) return
    disabledAt = clock.now()
    for (const wake of waiting) wake()
  }

  return {
    async send(signed, index, afterMs) {
      const attempts: AttemptReport[] = []
      const startAt = clock.now() + afterMs / rules.speed
      for (const [earlier, delayMs] of DELAYS_MS.entries()) {
        const from = rules.delays === 'cumulative' && earlier > 0 ? clock.now() : startAt
        await pauseUntil(from + delayMs / rules.speed)
        if (disabledAt !== undefined) return { index, status: 'stopped', attempts }
        const attempt = await trackAttempt(signed, earlier + 1)
        attempts.push(attempt)
        countFailure(attempt)
        rules.onAttempt(attempt, index)
        if (!attempt.isFailure) return { index, status: 'delivered', attempts }
      }
      return { index, status: 'given_up', attempts }
    },
    disabledAt: () => disabledAt,
    inFlight: () => inFlight,
  }
}

async function makeAttempt(
  { clock, post }: SubscriptionRules,
  signed: SignedDelivery,
  number: number,
): Promise<AttemptReport> {
  const sentAt = clock.now()
  const controller = new AbortController()
  const result = await withTimeout(clock, RESPONSE_MS, () => post(signed, controller.signal))
  if (result.status === 'late') controller.abort()
  const { httpStatus, outcome } = result.status === 'value' ? result.value : {}
  const error = result.status === 'error' ? reasonOf(result.error) : undefined
  return { number, sentAt, tookMs: clock.now() - sentAt, httpStatus, outcome, isFailure: httpStatus !== 200, error }
}

/** Describes an endpoint's error in one line, including its cause: `fetch` states the reason only there. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  return cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message
}
