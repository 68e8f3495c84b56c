/** Plays one scenario on virtual time and judges it: what was lost, what was worked twice, whether the webhook was disabled. */
import { randomUUID } from 'node:crypto'
import { type FixedClock, fixedClock } from '../../testing/fixed-clock.js'
import type { DeliveryReport } from '../../testing/sender/report.js'
import { simulateSender } from '../../testing/simulate-sender.js'
import type { Delivery, Outcome } from '../../types.js'
import type { HandlerReceiver, MakeReceiver } from '../terminal/handler-file.js'
import { numberedEvent } from '../terminal/numbered-event.js'
import { UsageError } from '../terminal/usage-error.js'
import type { Scenario } from './scenarios.js'

/** What became of one delivery. */
export interface Played {
  readonly event: string
  readonly result: 'handled' | 'ignored' | 'kept' | 'doubled' | 'lost'
  /** The answers to its tries, in order. */
  readonly attempts: readonly string[]
  /** From the first try to the end of the last, in minutes. */
  readonly minutes: number
}

/** What became of a scenario. */
export interface PlayedScenario {
  readonly name: string
  readonly disabled: boolean
  readonly deliveries: readonly Played[]
}

const INTERVAL_MS = 10_000

/** Plays a scenario with a receiver of its own. */
export async function playScenario(
  make: MakeReceiver,
  scenario: Scenario,
  events: readonly string[],
): Promise<PlayedScenario> {
  const clock = fixedClock()
  const secret = randomUUID()
  const watch = watchClock(clock)
  const dropped = new Set<string>()
  const receiver = await make({
    secret,
    clock: watch.clock,
    onError: ({ code, idempotencyKey = '' }) => void (code === 'event_dropped' && dropped.add(idempotencyKey)),
  })
  const payloads = events.map((type, index) => JSON.stringify(numberedEvent(type, index)))
  const seen = new Map<string, Outcome[]>()
  const report = await simulateSender({
    to: { receive: (delivery) => playAttempt(scenario, receiver, delivery, seen) },
    ...{ secret, clock, payloads, intervalMs: INTERVAL_MS },
  })
  refuseForeign(seen, watch.isUsed())
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
  const watched = {
    receive: async (copy: Delivery) => {
      const outcome = await receiver.receive(copy)
      outcomes.push(outcome)
      return outcome
    },
  }
  return scenario.play(watched, delivery, outcomes.length + 1)
}

/** A function that keeps the options to itself makes a receiver of another secret, or of another time. */
function refuseForeign(seen: ReadonlyMap<string, readonly Outcome[]>, isClockUsed: boolean): void {
  const isForeign = [...seen.values()].flat().some((outcome) => outcome.status === 'refused')
  if (!isForeign && isClockUsed) return
  const what = isForeign ? 'secret' : 'clock'
  throw new UsageError(
    `The file’s function does not hand its ${what} on to createReceiver: createReceiver({ …, ...options }), the options last.`,
  )
}

function watchClock(clock: FixedClock): { clock: FixedClock; isUsed(): boolean } {
  let isUsed = false
  const watched: FixedClock = {
    ...clock,
    now: () => {
      isUsed = true
      return clock.now()
    },
  }
  return { clock: watched, isUsed: () => isUsed }
}

function judge(
  event: string,
  { attempts }: DeliveryReport,
  outcomes: readonly Outcome[],
  dropped: ReadonlySet<string>,
): Played {
  const responses = attempts.map(({ httpStatus, outcome }) =>
    httpStatus === undefined ? 'no answer' : `${httpStatus} ${outcome ?? ''}`.trim(),
  )
  const [first, last] = [attempts[0], attempts.at(-1)]
  const tookMs = first && last ? last.sentAt + last.tookMs - first.sentAt : 0
  return { event, result: resultOf(outcomes, dropped), attempts: responses, minutes: Math.round(tookMs / 6000) / 10 }
}

function resultOf(outcomes: readonly Outcome[], dropped: ReadonlySet<string>): Played['result'] {
  const has = (...wanted: readonly Outcome['status'][]) => outcomes.some(({ status }) => wanted.includes(status))
  if (outcomes.filter(({ status }) => status === 'processed').length > 1) return 'doubled'
  if (has('processed', 'accepted')) return 'handled'
  const isDropped = outcomes.some(({ idempotencyKey = '' }) => dropped.has(idempotencyKey))
  // What was set aside is a duplicate from then on: that alone does not say that it was handled.
  if (has('quarantined')) return isDropped ? 'lost' : 'kept'
  if (has('duplicate')) return 'handled'
  return has('ignored') ? 'ignored' : 'lost'
}
