/** The services, events and attempts that unit tests pass to the functions of stages 5 to 7. */
import { startDeadline } from '../../src/clock.js'
import { createDigest } from '../../src/crypto/digest.js'
import {
  type ClaimedAttempt,
  type HeldClaim,
  type Services,
  toVerifiedEvent,
  type VerifiedEvent,
} from '../../src/delivery/verified-event.js'
import type { Delivery, ErrorReport, GoValidEvent, ReceiverOptions, Store } from '../../src/index.js'
import { createHandlers } from '../../src/receiver/handlers.js'
import { createInFlight } from '../../src/receiver/in-flight.js'
import { readOptions } from '../../src/receiver/options.js'
import { type FixedClock, fixedClock } from '../../src/testing/index.js'
import { scannedEvent } from './payloads.js'

/** The key and the token of every fixture's claim. */
export const CLAIM_IDS = { key: 'ab'.repeat(32), token: 'token-1' } as const

/** Until when a fixture's delivery must be remembered, in epoch milliseconds. */
export const RETAIN_UNTIL = 1_000_000

/** Services whose clock and reports a test can read. */
export interface TestServices extends Services {
  readonly clock: FixedClock
  readonly reports: readonly ErrorReport[]
}

/** What a test chooses for its services. Every other setting has the receiver's default. */
export interface TestServicesOptions extends Omit<Partial<ReceiverOptions>, 'clock' | 'store'>, Partial<SomeServices> {
  /** The calls that the test expects. Any other call throws. */
  readonly store?: Partial<Store>
  readonly clock?: FixedClock
}

type SomeServices = Pick<Services, 'digest' | 'retryUntil' | 'firstDeliveryAt'>

/** Creates the services of a receiver whose clock stands still at 0. */
export function testServices(options: TestServicesOptions = {}): TestServices {
  const { store = {}, clock = fixedClock(0), digest, retryUntil, firstDeliveryAt, ...settings } = options
  const reports: ErrorReport[] = []
  return {
    clock,
    reports,
    settings: readOptions({ secret: 'your_webhook_secret', ...settings, clock }),
    store: store as Store,
    reporter: { report: (report) => void reports.push(report), outcome() {} },
    inFlight: createInFlight(),
    handlers: createHandlers(),
    digest: digest ?? createDigest(),
    reloadSecrets: () => undefined,
    loadSecrets: () => {
      throw new Error('stages 5 to 7 load no secrets')
    },
    newToken: () => CLAIM_IDS.token,
    firstDeliveryAt: firstDeliveryAt ?? (() => clock.now()),
    retryUntil: retryUntil ?? (() => Number.POSITIVE_INFINITY),
    recordOutcome() {},
  }
}

/** Creates a verified event from the sender, with the default deadline and no handlers. */
export function verifiedEvent({ clock }: TestServices, changes: Partial<VerifiedEvent> = {}): VerifiedEvent {
  const payload = scannedEvent()
  const rawBody = new TextEncoder().encode(JSON.stringify(payload))
  const delivery: Delivery = { method: 'POST', header: () => undefined, body: rawBody }
  const event = toVerifiedEvent(
    { delivery, rawBody, headers: {}, deadline: startDeadline(clock, 4500), origin: { from: 'sender' } },
    { event: payload as unknown as GoValidEvent, known: true, issues: [], epochMs: undefined },
    { key: CLAIM_IDS.key, secretIndex: 0, eventType: payload.event, handlers: [], retainUntil: RETAIN_UNTIL },
  )
  return { ...event, ...changes }
}

/** Creates a first attempt that holds the claim. */
export function claimedAttempt(
  services: TestServices,
  changes: { readonly event?: Partial<VerifiedEvent>; readonly claim?: Partial<HeldClaim> } = {},
): ClaimedAttempt {
  const claim: HeldClaim = {
    ...CLAIM_IDS,
    attempt: 1,
    releasedAttempts: 0,
    completedHandlers: [],
    evictedEarly: false,
    confirmedAt: 0,
    ...changes.claim,
  }
  return {
    services,
    event: verifiedEvent(services, changes.event),
    number: claim.attempt,
    claim,
    endLease: undefined,
    entryWrite: undefined,
  }
}
