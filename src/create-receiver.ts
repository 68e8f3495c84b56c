/**
 * Creates a receiver: checks the options, registers handlers, and passes each delivery to `delivery/receive.ts`.
 * Creation uses no timer and no randomness, because Workers forbid both at module scope.
 */
import { monotonicMs } from './clock.js'
import { createDigest } from './crypto/digest.js'
import { encodeHex } from './crypto/encoding.js'
import { discardEntry } from './delivery/quarantine.js'
import { receive } from './delivery/receive.js'
import { SIGNATURE_HEADER } from './delivery/signature.js'
import type { Origin, Services } from './delivery/verified-event.js'
import { WebhookError } from './errors.js'
import type { EventPattern } from './events/event-types.js'
import type { UnknownEvent } from './events/events.js'
import type { EventSchemas } from './events/standard-schema.js'
import type { AcceptedDelivery, InboxAttempt } from './inboxes/inbox.js'
import { createHandlers, type HandlerOptions } from './receiver/handlers.js'
import { createInFlight, finishInFlight } from './receiver/in-flight.js'
import { createInboxStarter } from './receiver/inbox-starter.js'
import { type ReceiverOptions, readOptions, type Settings } from './receiver/options.js'
import { createReceiverClock } from './receiver/receiver-clock.js'
import type { Anything, EventFor, StoreOption, TransactionOf } from './receiver/receiver-types.js'
import { createReporter, type Reporter } from './receiver/reporter.js'
import { createSecretLoader } from './receiver/secret-loader.js'
import { createTally, type ReceiverStatus } from './receiver/status.js'
import { memoryStore } from './stores/memory/memory-store.js'
import { noStore } from './stores/none.js'
import type { QuarantineEntry, Store } from './stores/store.js'
import type { Delivery, Handler, Outcome } from './types.js'

/**
 * A receiver of GoValid webhooks. Create one per endpoint and pass it to an adapter's `toHandler`.
 *
 * Without type arguments it accepts every receiver. Its handlers then get the documented event types, and no `context.transaction`.
 */
export interface Receiver<Schemas = Anything, Transaction = Anything> {
  /**
   * Registers a handler for one or more events, a namespace (`'qr.*'`) or every known event (`'*'`). The handlers of an event run one after
   * the other in order of registration. A handler that fails doesn't stop the others.
   *
   * @throws {@link WebhookError} `event_type_unknown`, `handler_invalid`, `handler_name_duplicate`.
   */
  on<Pattern extends EventPattern>(
    pattern: Pattern | readonly Pattern[],
    handler: Handler<EventFor<Pattern, Schemas>, Transaction>,
    options?: HandlerOptions,
  ): Receiver<Schemas, Transaction>
  /**
   * Registers a handler for events that this version doesn't know. Without one, they are ignored and get a 200.
   *
   * @throws {@link WebhookError} `handler_invalid`, `handler_name_duplicate`.
   */
  onUnknown(handler: Handler<UnknownEvent, Transaction>, options?: HandlerOptions): Receiver<Schemas, Transaction>
  /** Receives one delivery. Resolves to its outcome. Never rejects. */
  receive(delivery: Delivery): Promise<Outcome>
  /**
   * Reprocesses a quarantined delivery of any age: verifies it, claims it, and runs only the handlers that haven't finished. If the outcome
   * is `processed`, `duplicate` or `ignored`, the entry is taken out of the quarantine.
   */
  reprocess(entry: QuarantineEntry): Promise<Outcome>
  /**
   * Processes one delivery that an inbox hands out: verifies and claims it, and runs its handlers for up to `handlerTimeoutMs`. Inboxes call
   * this method themselves; call it yourself only on a platform that delivers the jobs. Never rejects.
   */
  process(delivery: AcceptedDelivery, attempt: InboxAttempt, platform?: Pick<Delivery, 'waitUntil'>): Promise<Outcome>
  /** Whether a handler is registered for an event type. For an unknown type: whether `onUnknown` has a handler. */
  handles(type: string): boolean
  /** The receiver's state, for health checks and dashboards. */
  status(): Promise<ReceiverStatus>
  /**
   * Refuses new deliveries with 503, stops the inbox, waits for running handlers and their completions, then stops every timer. If the
   * inbox can't be stopped, it rejects after that wait.
   * With `timeoutMs` it waits no longer than that: requests that still wait get a 503 at once, the `signal` of running handlers is aborted,
   * their claims end with their leases, and no timer keeps the process alive.
   *
   * @throws {@link WebhookError} `option_invalid` if `timeoutMs` isn't a number; nothing is closed then.
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
}

const FROM_SENDER: Origin = { from: 'sender' }
const MAX_RETRY_MS = 2 * 60 * 60 * 1000
const MAX_RETRY_WHILE_CLOSING_MS = 10_000

/**
 * Creates a receiver.
 *
 * @throws {@link WebhookError} `secret_missing`, `secret_blank`, `option_unknown`, `option_invalid`, `event_type_unknown` or
 * `store_unsuitable`, each with its fix.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 *
 * export const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
 *   .on('qr.scanned', (event) => console.log(event.data.qr_id, event.data.scan_count))
 *   .on('counterfeit.detected', (event) => console.log(event.data))
 * ```
 */
export function createReceiver<
  const Schemas extends EventSchemas = Record<never, never>,
  Choice extends Store<unknown> | false | undefined = Store<unknown> | false | undefined,
>(options: ReceiverOptions<Schemas, unknown> & StoreOption<Choice>): Receiver<Schemas, TransactionOf<Choice>> {
  if (typeof options !== 'object' || options === null) {
    throw new WebhookError('option_invalid', 'createReceiver must be given an object: createReceiver({ secret: … }).')
  }
  const read = readOptions(options as ReceiverOptions<EventSchemas, unknown>)
  const clock = createReceiverClock(read.clock)
  const settings: Settings = { ...read, clock }
  const store = chooseStore(options.store as Store<unknown> | false | undefined, settings)
  const reporter = createReporter({ onOutcome: options.onOutcome, onError: options.onError, clock })
  const inFlight = createInFlight()
  const tally = createTally(clock)
  let closingSince: number | undefined
  let firstDeliveryAt: number | undefined
  const services: Services = {
    settings,
    store,
    reporter,
    inFlight,
    handlers: createHandlers(),
    digest: createDigest(),
    ...createSecretLoader(options.secret, settings, reporter),
    newToken: createTokens(),
    firstDeliveryAt: () => (firstDeliveryAt ??= clock.now()),
    retryUntil(since) {
      if (inFlight.isAbandoned()) return Number.NEGATIVE_INFINITY
      if (closingSince === undefined) return since + MAX_RETRY_MS
      return Math.max(since, closingSince) + MAX_RETRY_WHILE_CLOSING_MS
    },
    recordOutcome(outcome, { delivery, origin, eventType, durationMs, isLate }) {
      tally.count(outcome, { origin, eventType, isLate, durationMs })
      reporter.outcome({ ...outcome, durationMs, late: isLate }, delivery)
    },
  }
  const receiveFrom = async (delivery: Delivery, origin: Origin): Promise<Outcome> => {
    const startedAt = monotonicMs(clock)
    const seen: { eventType?: string } = {}
    let outcome: Outcome = { status: 'unavailable', code: 'receiver_closing' }
    if (closingSince === undefined) {
      inFlight.begin()
      try {
        outcome = await receive(services, delivery, origin, seen)
      } catch (error) {
        outcome = failUnexpectedly(reporter, delivery, error)
      } finally {
        inFlight.end()
      }
    }
    const durationMs = monotonicMs(clock) - startedAt
    services.recordOutcome(outcome, { delivery, origin, eventType: seen.eventType, durationMs, isLate: false })
    return outcome
  }
  const process: Receiver['process'] = async (accepted, attempt, platform) => {
    try {
      const { number, last, over } = attempt
      const origin = {
        from: 'inbox',
        attempt: { number, last, over },
        receivedAt: Number(accepted.receivedAt),
      } as Origin
      return await receiveFrom({ ...toDelivery(accepted), ...platform }, origin)
    } catch (error) {
      // The job isn't a delivery at all.
      return failUnexpectedly(reporter, {}, error)
    }
  }
  const inbox = createInboxStarter(settings, reporter, process)
  const receiver: Receiver<Schemas, TransactionOf<Choice>> = {
    on(pattern, handler, handlerOptions) {
      services.handlers.add(pattern, handler, handlerOptions)
      inbox.startSoon()
      return receiver
    },
    onUnknown(handler, handlerOptions) {
      services.handlers.addUnknown(handler, handlerOptions)
      inbox.startSoon()
      return receiver
    },
    receive: (delivery) => receiveFrom(delivery, FROM_SENDER),
    process,
    async reprocess(entry) {
      const outcome = await receiveFrom(toDelivery(entry), { from: 'quarantine' })
      // A processed entry is already taken out, unless another process had claimed it meanwhile: its attempt decides.
      if (['duplicate', 'ignored'].includes(outcome.status)) await discardEntry(services, entry.key)
      return outcome
    },
    handles: (type) => services.handlers.of(type).length > 0,
    status: () => tally.status({ processing: inFlight.count(), store, settings }),
    async close({ timeoutMs } = {}) {
      if (timeoutMs !== undefined && (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)))
        throw new WebhookError('option_invalid', 'timeoutMs must be a number of milliseconds.')
      closingSince ??= monotonicMs(clock)
      await finishInFlight(inbox, inFlight, clock, timeoutMs)
    },
  }
  return receiver
}

/** A value of the application did something that no stage expects. GoValid gets a 500 and retries. */
function failUnexpectedly(reporter: Reporter, delivery: Pick<Delivery, 'waitUntil'>, error: unknown): Outcome {
  const message = 'A delivery failed for an unexpected reason. GoValid gets a 500 and retries.'
  reporter.report({ code: 'receiver_failed', message, error }, delivery)
  return { status: 'failed', error }
}

function chooseStore(store: Store<unknown> | false | undefined, settings: Settings): Store<unknown> {
  if (store === false) return noStore
  return store ?? memoryStore({ clock: settings.clock })
}

/** Tokens must differ, but they aren't secret: 128 random bits on the first delivery, and a counter. */
function createTokens(): () => string {
  let prefix: string | undefined
  let count = 0
  return () => {
    prefix ??= encodeHex(crypto.getRandomValues(new Uint8Array(16)))
    return `${prefix}-${++count}`
  }
}

function toDelivery({ rawBody, headers }: Pick<QuarantineEntry, 'rawBody' | 'headers'>): Delivery {
  return {
    method: 'POST',
    header: (name) => (name === SIGNATURE_HEADER ? headers[name] : undefined),
    headers: () => headers,
    body: rawBody,
  }
}
