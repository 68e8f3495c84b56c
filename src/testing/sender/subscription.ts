/**
 * One webhook subscription of a simulated GoValid: sends deliveries by its schedule until each is taken or given up, and is disabled as
 * GoValid disables it. Source: govalid docs, webhooks setup.
 */
import { type Clock, withTimeout } from '../../clock.js'
import type { SignedDelivery } from '../sign-delivery.js'
import type { Post } from './endpoint.js'
import type { AttemptReport, DeliveryReport } from './report.js'

/** How a subscription behaves. */
export interface SubscriptionRules {
  readonly clock: Clock
  readonly post: Post
  readonly delays: 'cumulative' | 'from-event'
  readonly failures: 'per-event' | 'per-subscription'
  /** By what waiting is divided. */
  readonly speed: number
  readonly onAttempt: (tried: AttemptReport, index: number) => void
}

/** A subscription. */
export interface Subscription {
  /** Sends one delivery, `afterMs` from now, until it is taken, given up or stopped. */
  send(signed: SignedDelivery, index: number, afterMs: number): Promise<DeliveryReport>
  /** When it was disabled. */
  disabledAt(): number | undefined
  /** How many requests wait for an answer. */
  inFlight(): number
}

/** How long GoValid waits for an answer. */
const RESPONSE_MS = 5000
/** How long it waits before each try. */
const DELAYS_MS = [0, 1, 5, 15, 60].map((minutes) => minutes * 60_000)
/** How many failed tries disable the webhook. */
const FAILURES = 5

/** Makes an enabled subscription. */
export function createSubscription(rules: SubscriptionRules): Subscription {
  const { clock, failures } = rules
  const waiting = new Set<() => void>()
  let disabledAt: number | undefined
  let inARow = 0
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

  const attempt = async (signed: SignedDelivery, number: number): Promise<AttemptReport> => {
    inFlight += 1
    const tried = await makeAttempt(rules, signed, number)
    inFlight -= 1
    return tried
  }

  const count = ({ isFailure, number }: AttemptReport) => {
    inARow = isFailure ? inARow + 1 : 0
    const failed = failures === 'per-event' ? (isFailure ? number : 0) : inARow
    if (failed < FAILURES || disabledAt !== undefined) return
    disabledAt = clock.now()
    for (const wake of waiting) wake()
  }

  return {
    async send(signed, index, afterMs) {
      const attempts: AttemptReport[] = []
      const startAt = clock.now() + afterMs / rules.speed
      for (const [before, delayMs] of DELAYS_MS.entries()) {
        const from = rules.delays === 'cumulative' && before > 0 ? clock.now() : startAt
        await pauseUntil(from + delayMs / rules.speed)
        if (disabledAt !== undefined) return { index, status: 'stopped', attempts }
        const tried = await attempt(signed, before + 1)
        attempts.push(tried)
        count(tried)
        rules.onAttempt(tried, index)
        if (!tried.isFailure) return { index, status: 'delivered', attempts }
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
  const settled = await withTimeout(clock, RESPONSE_MS, () => post(signed, controller.signal))
  if (settled.status === 'late') controller.abort()
  const { httpStatus, outcome } = settled.status === 'value' ? settled.value : {}
  const error = settled.status === 'error' ? reasonOf(settled.error) : undefined
  return { number, sentAt, tookMs: clock.now() - sentAt, httpStatus, outcome, isFailure: httpStatus !== 200, error }
}

/** What an endpoint threw, in one line; `fetch` hides the reason in the error's cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  return cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message
}
