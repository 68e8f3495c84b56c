/** Plays one scenario in virtual time and reports which events were lost or handled twice and whether the webhook was disabled. */
import { randomUUID } from 'node:crypto'
import { type FixedClock, fixedClock } from '../../testing/fixed-clock.js'
import type { DeliveryReport } from '../../testing/sender/report.js'
import { simulateSender } from '../../testing/simulate-sender.js'
import type { Delivery, Outcome } from '../../types.js'
import type { CreateHandlerReceiver, HandlerReceiver } from '../terminal/handler-file.js'
import { numberedEvent } from '../terminal/numbered-event.js'
import { UsageError } from '../terminal/usage-error.js'
import type { Scenario } from './scenarios.js'

/** The result of one delivery. */
export interface Played {
  readonly event: string
  readonly result: 'handled' | 'ignored' | 'quarantined' | 'handled_twice' | 'lost'
  /** The responses to the attempts, in order. */
  readonly attempts: readonly string[]
  /** The time from the start of the first attempt to the end of the last attempt, in minutes. */
  readonly minutes: number
}

/** The result of a scenario. */
export interface PlayedScenario {
  readonly name: string
  /** Whether GoValid would have disabled the webhook. */
  readonly disabled: boolean
  readonly deliveries: readonly Played[]
}

const INTERVAL_MS = 10_000

/**
 * Plays a scenario with a new receiver.
 *
 * @throws UsageError if the file's function ignores the secret or the clock that it receives.
 */
export async function playScenario(
  createReceiver: CreateHandlerReceiver,
  scenario: Scenario,
  events: readonly string[],
): Promise<PlayedScenario> {
  const clock = fixedClock()
  const secret = randomUUID()
  const observed = observeClock(clock)
  const dropped = new Set<string>()
  const receiver = await createReceiver({
    secret,
    clock: observed.clock,
    onError: ({ code, idempotencyKey = '' }) => void (code === 'event_dropped' && dropped.add(idempotencyKey)),
  })
  const payloads = events.map((type, index) => JSON.stringify(numberedEvent(type, index)))
  const seen = new Map<string, Outcome[]>()
  const report = await simulateSender({
    to: { receive: (delivery) => playAttempt(scenario, receiver, delivery, seen) },
    ...{ secret, clock, payloads, intervalMs: INTERVAL_MS },
  })
  requireOptionsUsed(seen, observed.isUsed())
  void receiver.close()
  const deliveries = report.deliveries.map((delivery) => {
    const outcomes = seen.get(payloads[delivery.index] ?? '') ?? []
    return judge(events[delivery.index] ?? '', delivery, outcomes, dropped)
  })
  return { name: scenario.name, disabled: report.disabledAt !== undefined, deliveries }
}

async function playAttempt(
  scenario: Scenario,
  receiver: HandlerReceiver,
  delivery: Delivery,
  seen: Map<string, Outcome[]>,
): Promise<Outcome> {
  const body = Buffer.from(delivery.body as Uint8Array).toString()
  const outcomes = seen.get(body) ?? []
  seen.set(body, outcomes)
  const recording = {
    receive: async (copy: Delivery) => {
      const outcome = await receiver.receive(copy)
      outcomes.push(outcome)
      return outcome
    },
  }
  return scenario.play(recording, delivery, outcomes.length + 1)
}

/** Detects a function that ignores its options. Its receiver refuses every delivery or never reads the virtual clock. */
function requireOptionsUsed(seen: ReadonlyMap<string, readonly Outcome[]>, isClockUsed: boolean): void {
  const isSecretUsed = [...seen.values()].flat().every((outcome) => outcome.status !== 'refused')
  if (isSecretUsed && isClockUsed) return
  const ignored = isSecretUsed ? 'clock' : 'secret'
  throw new UsageError(
    `The function in the file doesn't pass options.${ignored} to createReceiver. Spread the options last: createReceiver({ …, ...options }).`,
  )
}

function observeClock(clock: FixedClock): { clock: FixedClock; isUsed(): boolean } {
  let isUsed = false
  const observedClock: FixedClock = {
    ...clock,
    now: () => {
      isUsed = true
      return clock.now()
    },
  }
  return { clock: observedClock, isUsed: () => isUsed }
}

function judge(
  event: string,
  { attempts }: DeliveryReport,
  outcomes: readonly Outcome[],
  dropped: ReadonlySet<string>,
): Played {
  const responses = attempts.map(({ httpStatus, outcome }) =>
    httpStatus === undefined ? 'no response' : `${httpStatus} ${outcome ?? ''}`.trim(),
  )
  const [first, last] = [attempts[0], attempts.at(-1)]
  const tookMs = first && last ? last.sentAt + last.tookMs - first.sentAt : 0
  return { event, result: resultOf(outcomes, dropped), attempts: responses, minutes: Math.round(tookMs / 6000) / 10 }
}

function resultOf(outcomes: readonly Outcome[], dropped: ReadonlySet<string>): Played['result'] {
  const has = (...wanted: readonly Outcome['status'][]) => outcomes.some(({ status }) => wanted.includes(status))
  if (outcomes.filter(({ status }) => status === 'processed').length > 1) return 'handled_twice'
  if (has('processed', 'accepted')) return 'handled'
  const isDropped = outcomes.some(({ idempotencyKey = '' }) => dropped.has(idempotencyKey))
  // Check the quarantine first. A quarantined delivery is a duplicate from then on, although it wasn't handled.
  if (has('quarantined')) return isDropped ? 'lost' : 'quarantined'
  if (has('duplicate')) return 'handled'
  return has('ignored') ? 'ignored' : 'lost'
}
