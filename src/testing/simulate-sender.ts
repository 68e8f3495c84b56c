/**
 * Simulates GoValid: sends signed deliveries, waits 5 s for exactly 200, retries on GoValid's schedule, and disables the webhook when
 * GoValid would. Takes payloads and their destination; returns a report with every attempt. On virtual time, the 81 minutes pass
 * immediately. Source: govalid docs, webhooks setup.
 */
import { systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import type { FixedClock } from './fixed-clock.js'
import { isUrl, postTo, type SenderEndpoint } from './sender/endpoint.js'
import type { AttemptReport, SenderReport } from './sender/report.js'
import { createSubscription, type Subscription } from './sender/subscription.js'
import { runOnVirtualTime } from './sender/virtual-time.js'
import { type SignedDelivery, signDelivery } from './sign-delivery.js'

/** Options of `simulateSender`. */
export interface SimulateSenderOptions {
  /** A receiver, a function from `Request` to `Response` (such as the `fetch` adapter's handler), or the URL of a running server. */
  readonly to: SenderEndpoint
  /** The webhook's secret. */
  readonly secret: string | Uint8Array
  /**
   * The payloads, one delivery each. An object is serialized as compact JSON; text and bytes are used unchanged. Every attempt sends the
   * same bytes.
   */
  readonly payloads: readonly (object | string | Uint8Array)[]
  /**
   * The clock for virtual time. Pass the same clock to the receiver. `simulateSender` advances it from timer to timer. Default: real time.
   * Don't use virtual time with a store that has its own clock, such as a database.
   */
  readonly clock?: FixedClock | undefined
  /**
   * On real time, the factor by which GoValid's delays between attempts are shortened: with 1000, an hour takes 3.6 s. The 5 s for a
   * response stay the same. Note that a receiver counts attempts within 30 s of each other as copies of one attempt. Default: 1.
   */
  readonly speed?: number | undefined
  /** The time between the first attempts of two consecutive payloads, in milliseconds. Default: 0, all at once. */
  readonly intervalMs?: number | undefined
  /**
   * The start of GoValid's delays of 1, 5, 15 and 60 minutes, which its guide leaves open. `'cumulative'`: each delay starts at the end of
   * the previous attempt, 81 minutes in total. `'from-event'`: all delays start at the event, 60 minutes in total. Default: `'cumulative'`.
   */
  readonly delays?: 'cumulative' | 'from-event' | undefined
  /**
   * The five failed attempts that disable the webhook, which GoValid's guide leaves open. `'per-event'`: five attempts of one event.
   * `'per-subscription'`: five in a row, of any events. Default: `'per-event'`.
   */
  readonly failures?: 'per-event' | 'per-subscription' | undefined
  /** The URL of the requests that a function gets. Default: `https://receiver.example/webhooks/govalid`. */
  readonly url?: string | undefined
  /** Called after each attempt with its report and the index of its payload. */
  readonly onAttempt?: ((attempt: AttemptReport, index: number) => void) | undefined
}

/**
 * Sends deliveries as GoValid does and resolves to a report. Rejects only for invalid options: failures of the endpoint are in the report.
 *
 * @throws WebhookError `option_invalid`: rejects if `to` isn't a valid destination, if `speed` or `intervalMs` is out of range, or if
 * `clock` is combined with a URL (a server has its own time) or with `speed`.
 *
 * @example On virtual time: a handler that fails twice
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { createEvent, fixedClock, simulateSender } from 'govalid-webhooks/testing'
 *
 * const clock = fixedClock('2025-01-29T12:00:00Z')
 * const secret = 'a secret'
 * const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', (_, { attempt }) => {
 *   if (attempt < 3) throw new Error('the database is unavailable')
 * })
 * const payloads = [createEvent('qr.scanned', {}, { clock })]
 * const { deliveries, disabledAt } = await simulateSender({ to: receiver, secret, payloads, clock })
 * console.log(deliveries[0]?.status, deliveries[0]?.attempts.map(({ outcome }) => outcome), disabledAt)
 * // delivered [ 'failed', 'failed', 'processed' ] undefined
 * ```
 *
 * @example On real time, with a minute in 20 ms: a server under development
 * ```ts
 * import { createEvent, simulateSender } from 'govalid-webhooks/testing'
 *
 * await simulateSender({
 *   to: 'http://localhost:3000/webhooks/govalid',
 *   secret: 'a secret',
 *   payloads: [createEvent('qr.scanned'), createEvent('payment.failed')],
 *   speed: 3000,
 *   onAttempt: ({ number, httpStatus, tookMs }, index) => console.log(index, number, httpStatus ?? 'no response', tookMs),
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
  if (clock && isUrl(to)) {
    throw new WebhookError(
      'option_invalid',
      'simulateSender can\'t combine "clock" with a URL: the server has its own time. Use "speed" instead. See docs/reference/testing.md.',
    )
  }
  if (clock && speed !== 1) {
    const message =
      'simulateSender can\'t combine "speed" with "clock": virtual time takes no time. Remove "speed". See docs/reference/testing.md.'
    throw new WebhookError('option_invalid', message)
  }
  if (!Number.isFinite(speed) || speed <= 0) {
    throw new WebhookError(
      'option_invalid',
      `simulateSender expects "speed" to be greater than 0, but got ${speed}. See docs/reference/testing.md.`,
    )
  }
  if (!Number.isFinite(intervalMs) || intervalMs < 0) {
    const message = `simulateSender expects "intervalMs" to be 0 or greater, but got ${intervalMs}. See docs/reference/testing.md.`
    throw new WebhookError('option_invalid', message)
  }
}
