/**
 * Plays GoValid: sends signed deliveries, waits 5 s for exactly 200, tries again by GoValid's schedule, and disables the webhook when it
 * would. In: payloads and where to send them. Out: what became of each, try by try. On virtual time 81 minutes take none.
 * Source: govalid docs, webhooks setup.
 */
import { systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import type { FixedClock } from './fixed-clock.js'
import { postTo, type SenderEndpoint } from './sender/endpoint.js'
import type { AttemptReport, SenderReport } from './sender/report.js'
import { createSubscription, type Subscription } from './sender/subscription.js'
import { runOnVirtualTime } from './sender/virtual-time.js'
import { type SignedDelivery, signDelivery } from './sign-delivery.js'

/** How `simulateSender` sends. */
export interface SimulateSenderOptions {
  /** A receiver, a function from `Request` to `Response` (what the `fetch` adapter's `toHandler` makes), or the URL of a running server. */
  readonly to: SenderEndpoint
  /** The webhook's secret. */
  readonly secret: string | Uint8Array
  /** What is sent, a delivery each: an object is printed as compact JSON; text and bytes are taken as they are. Every try sends the same bytes. */
  readonly payloads: readonly (object | string | Uint8Array)[]
  /**
   * Virtual time: the clock that the receiver was given too. It goes on by itself from timer to timer. Absent: real time. A store with a
   * clock of its own, such as a database, does not know virtual time.
   */
  readonly clock?: FixedClock
  /**
   * On real time, how many times faster GoValid waits between two tries: with 1000 the hour is 3.6 s. The 5 s for an answer stay as they
   * are. A receiver counts tries that come within 30 s of each other as copies of one. Default: 1.
   */
  readonly speed?: number
  /** How long after the one before a delivery is first sent, in milliseconds. Default: 0, all at once. */
  readonly intervalMs?: number
  /**
   * GoValid does not say from when its delays of 1, 5, 15 and 60 minutes count: each from the end of the try before (`'cumulative'`, 81
   * minutes in all), or all from the event (`'from-event'`, 60). Default: `'cumulative'`.
   */
  readonly delays?: 'cumulative' | 'from-event'
  /**
   * Nor whose five failed tries disable the webhook: those of one event, or five in a row of any events. Default: `'per-event'`.
   */
  readonly failures?: 'per-event' | 'per-subscription'
  /** The address of the requests that a function is given. Default: `https://receiver.example/webhooks/govalid`. */
  readonly url?: string
  /** Called after each try, with the place of its payload. */
  readonly onAttempt?: (tried: AttemptReport, index: number) => void
}

/**
 * Sends deliveries as GoValid does and resolves to what became of them. Rejects only for misuse: what an endpoint does is in the report.
 *
 * @throws WebhookError `option_invalid`: rejects when `to` is nothing that can be sent to, `speed` or `intervalMs` no fitting
 * number, or a `clock` is given with a URL, whose server has a time of its own.
 *
 * @example On virtual time: a handler that fails twice
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { createEvent, fixedClock, simulateSender } from 'govalid-webhooks/testing'
 *
 * const clock = fixedClock('2025-01-29T12:00:00Z')
 * const secret = 'a secret'
 * const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', (_, { attempt }) => {
 *   if (attempt < 3) throw new Error('the database is away')
 * })
 * const payloads = [createEvent('qr.scanned', {}, { clock })]
 * const { deliveries, disabledAt } = await simulateSender({ to: receiver, secret, payloads, clock })
 * console.log(deliveries[0]?.status, deliveries[0]?.attempts.map(({ outcome }) => outcome), disabledAt)
 * // delivered [ 'failed', 'failed', 'processed' ] undefined
 * ```
 *
 * @example On real time, a minute in 20 ms: a server under development
 * ```ts
 * import { createEvent, simulateSender } from 'govalid-webhooks/testing'
 *
 * await simulateSender({
 *   to: 'http://localhost:3000/webhooks/govalid',
 *   secret: 'a secret',
 *   payloads: [createEvent('qr.scanned'), createEvent('payment.failed')],
 *   speed: 3000,
 *   onAttempt: ({ number, httpStatus, tookMs }, index) => console.log(index, number, httpStatus ?? 'no answer', tookMs),
 * })
 * ```
 */
export async function simulateSender(options: SimulateSenderOptions): Promise<SenderReport> {
  const { to, secret, payloads, clock, url = 'https://receiver.example/webhooks/govalid' } = options
  checkOptions(options)
  const subscription = createSubscription({
    clock: clock ?? systemClock,
    post: postTo(to, url),
    delays: options.delays ?? 'cumulative',
    failures: options.failures ?? 'per-event',
    speed: options.speed ?? 1,
    onAttempt: options.onAttempt ?? (() => {}),
  })
  const signed = await Promise.all(payloads.map((payload) => signDelivery(payload, { secret })))
  const report = sendAll(subscription, signed, options.intervalMs ?? 0)
  return clock ? runOnVirtualTime(clock, report, () => subscription.inFlight() > 0) : report
}

async function sendAll(
  subscription: Subscription,
  signed: readonly SignedDelivery[],
  intervalMs: number,
): Promise<SenderReport> {
  const sent = signed.map((delivery, index) => subscription.send(delivery, index, index * intervalMs))
  return { deliveries: await Promise.all(sent), disabledAt: subscription.disabledAt() }
}

function checkOptions({ to, clock, speed = 1, intervalMs = 0 }: SimulateSenderOptions): void {
  if (clock && (typeof to === 'string' || to instanceof URL)) {
    throw new WebhookError(
      'option_invalid',
      'A server behind a URL has a time of its own: take speed instead of clock.',
    )
  }
  if (clock && speed !== 1)
    throw new WebhookError('option_invalid', 'On virtual time there is nothing to speed up: leave speed out.')
  if (!Number.isFinite(speed) || speed <= 0)
    throw new WebhookError('option_invalid', `speed must be above 0; it is ${speed}.`)
  if (!Number.isFinite(intervalMs) || intervalMs < 0) {
    throw new WebhookError('option_invalid', `intervalMs must be 0 or above; it is ${intervalMs}.`)
  }
}
