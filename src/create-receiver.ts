/**
 * Makes a receiver: checks the options, registers handlers, and tells the story of `receiver.ts` for each delivery.
 * Creation uses no timer and no randomness, which Workers forbid at module scope.
 */
import { MAX_TIMER_MS, withTimeout } from './clock.js'
import { createDigest } from './crypto/digest.js'
import { encodeHex } from './crypto/encoding.js'
import type { Origin } from './delivery/handler-run.js'
import { discardEntry } from './delivery/quarantine.js'
import { type ReceiveMeans, receiveDelivery } from './delivery/receive.js'
import { SIGNATURE_HEADER } from './delivery/signature.js'
import { WebhookError } from './errors.js'
import type { EventPattern, MatchedEventType } from './events/event-types.js'
import type { UnknownEvent } from './events/events.js'
import type { EventSchemas, HandledEvent } from './events/standard-schema.js'
import type { AcceptedDelivery, InboxAttempt } from './inboxes/inbox.js'
import { createHandlers, type HandlerOptions } from './receiver/handlers.js'
import { createRunning, type Running } from './receiver/in-flight.js'
import { createInboxStarter, type InboxStarter } from './receiver/inbox-starter.js'
import { type ReceiverOptions, readOptions, type Settings } from './receiver/options.js'
import { createReporter } from './receiver/reporter.js'
import { createSecretLoader } from './receiver/secret-loader.js'
import { createTally, type ReceiverStatus } from './receiver/status.js'
import { memoryStore } from './stores/memory/memory-store.js'
import { noStore } from './stores/none.js'
import type { QuarantineEntry, Store } from './stores/store.js'
import type { Delivery, Handler, Outcome } from './types.js'

/** A receiver of GoValid webhooks. Make one per endpoint and give it to an adapter's `toHandler`. */
export interface Receiver<Schemas = Record<never, never>, Transaction = never> {
  /**
   * Registers a handler for an event, several, a namespace (`'qr.*'`) or every known event (`'*'`). Handlers of one event run one after
   * the other in order of registration; one that fails does not stop the others.
   *
   * @throws {@link WebhookError} `event_type_unknown`, `handler_invalid`, `handler_name_duplicate`.
   */
  on<Pattern extends EventPattern>(
    pattern: Pattern | readonly Pattern[],
    handler: Handler<HandledEvent<MatchedEventType<Pattern>, Schemas>, Transaction>,
    options?: HandlerOptions,
  ): Receiver<Schemas, Transaction>
  /**
   * Registers a handler for events this version does not know. Without one they are answered 200 and ignored.
   *
   * @throws {@link WebhookError} `handler_invalid`, `handler_name_duplicate`.
   */
  onUnknown(handler: Handler<UnknownEvent, Transaction>, options?: HandlerOptions): Receiver<Schemas, Transaction>
  /** Takes one delivery through all stages. Resolves to its outcome, and never rejects for anything a network can cause. */
  receive(delivery: Delivery): Promise<Outcome>
  /**
   * Works a quarantined delivery again, its age aside: verified anew, claimed, and only handlers that are not done. On `processed`,
   * `duplicate` and `ignored` the entry is taken out of the quarantine.
   */
  reprocess(entry: QuarantineEntry): Promise<Outcome>
  /**
   * Works one delivery that an inbox hands out: verified again, claimed, and given to its handlers, which may take `handlerTimeoutMs`.
   * Inboxes that are started call it by themselves; it is for those whose platform does the calling. Never rejects.
   */
  process(delivery: AcceptedDelivery, attempt: InboxAttempt, platform?: Pick<Delivery, 'waitUntil'>): Promise<Outcome>
  /** Whether a handler is registered for an event, by its name; for an unknown name, whether `onUnknown` has one. */
  handles(type: string): boolean
  /** What is going on: for health checks and dashboards. */
  status(): Promise<ReceiverStatus>
  /**
   * Refuses new deliveries with 503 at once, stops the inbox, waits for running handlers and their completions, then stops every timer.
   * An inbox that cannot be stopped makes it reject, after that wait.
   * With `timeoutMs` it waits no longer than that: what still runs is told by its `signal`, and its claim ends with its lease.
   *
   * @throws {@link WebhookError} `option_invalid` when `timeoutMs` is no number; nothing is closed then.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const FROM_SENDER: Origin = { from: 'sender' }
const BEHIND_MS = 2 * 60 * 60 * 1000
const BEHIND_CLOSING_MS = 10_000

/**
 * Creates a receiver.
 *
 * @throws {@link WebhookError} `secret_missing`, `secret_blank`, `option_unknown`, `option_invalid`, `event_type_unknown`, `store_unsuitable`:
 * each says the cure.
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
export function createReceiver<const Schemas extends EventSchemas = Record<never, never>, Transaction = never>(
  options: ReceiverOptions<Schemas, Transaction>,
): Receiver<Schemas, Transaction> {
  if (typeof options !== 'object' || options === null) {
    throw new WebhookError('option_invalid', 'createReceiver takes an object: createReceiver({ secret: … }).')
  }
  const settings = readOptions(options as ReceiverOptions<EventSchemas, unknown>)
  const store = chooseStore(options.store as Store<unknown> | false | undefined, settings)
  const { clock } = settings
  const reporter = createReporter({ onOutcome: options.onOutcome, onError: options.onError, clock })
  const running = createRunning()
  let closingSince: number | undefined
  let workingSince: number | undefined
  const means: ReceiveMeans = {
    settings,
    store,
    reporter,
    running,
    handlers: createHandlers(),
    digest: createDigest(),
    quarantine: { sink: settings.quarantine, clock, reporter },
    loadSecrets: createSecretLoader(options.secret, settings, reporter),
    newToken: createTokens(),
    workingSince: () => (workingSince ??= clock.now()),
    backgroundUntil: (since) =>
      closingSince === undefined ? since + BEHIND_MS : Math.max(since, closingSince) + BEHIND_CLOSING_MS,
  }
  const tally = createTally(clock)
  const take = async (delivery: Delivery, origin: Origin): Promise<Outcome> => {
    let outcome: Outcome = { status: 'unavailable', code: 'receiver_closing' }
    if (closingSince === undefined) {
      running.begin()
      try {
        outcome = await receiveDelivery(means, delivery, origin)
      } finally {
        running.end()
      }
    }
    tally.count(outcome)
    reporter.outcome(outcome)
    return outcome
  }
  const work: Receiver['process'] = (accepted, attempt, platform) =>
    take({ ...toDelivery(accepted), ...platform }, { from: 'inbox', attempt, receivedAt: accepted.receivedAt })
  const inbox = createInboxStarter(settings, reporter, work)
  const receiver: Receiver<Schemas, Transaction> = {
    on(pattern, handler, handlerOptions) {
      means.handlers.add(pattern, handler, handlerOptions)
      inbox.startSoon()
      return receiver
    },
    onUnknown(handler, handlerOptions) {
      means.handlers.addUnknown(handler, handlerOptions)
      inbox.startSoon()
      return receiver
    },
    receive: (delivery) => take(delivery, FROM_SENDER),
    process: work,
    async reprocess(entry) {
      const outcome = await take(toDelivery(entry), { from: 'quarantine' })
      const finished = ['processed', 'duplicate', 'ignored'].includes(outcome.status)
      if (finished) await discardEntry(means.quarantine, entry.key)
      return outcome
    },
    handles: (type) => means.handlers.of(type).length > 0,
    status: () => tally.status(running.count(), settings.inbox),
    async close({ timeoutMs } = {}) {
      if (timeoutMs !== undefined && (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)))
        throw new WebhookError('option_invalid', 'timeoutMs must be a number of milliseconds.')
      closingSince ??= clock.now()
      await closeRunning(inbox, running, settings, timeoutMs)
    },
  }
  return receiver
}

function chooseStore(store: Store<unknown> | false | undefined, settings: Settings): Store<unknown> {
  if (store === false) return noStore
  return store ?? memoryStore({ clock: settings.clock })
}

/** Tokens need to differ, not to be secret: 128 random bits once, on the first delivery, and a count. */
function createTokens(): () => string {
  let prefix: string | undefined
  let count = 0
  return () => {
    prefix ??= encodeHex(crypto.getRandomValues(new Uint8Array(16)))
    return `${prefix}-${++count}`
  }
}

async function closeRunning(
  inbox: InboxStarter,
  running: Running,
  { clock }: Settings,
  timeoutMs: number | undefined,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const ended = inbox
    .stop()
    .catch((error: unknown) => {
      failure = { error }
    })
    .then(running.whenIdle)
  if (timeoutMs === undefined) await ended
  else {
    const settled = await withTimeout(clock, Math.min(timeoutMs, MAX_TIMER_MS), () => ended)
    if (settled.status === 'late') running.giveUp()
  }
  if (failure) throw failure.error
}

function toDelivery({ rawBody, headers }: Pick<QuarantineEntry, 'rawBody' | 'headers'>): Delivery {
  return {
    method: 'POST',
    header: (name) => (name === SIGNATURE_HEADER ? headers[name] : undefined),
    headers: () => headers,
    body: rawBody,
  }
}
