/**
 * A campaign on virtual time: bursts of events that exceed the capacity of the store, sent by GoValid's rules to receivers with the real
 * core. The same seed gives the same campaign.
 */
import { createHash } from 'node:crypto'
import { createReceiver, toResponse } from '../../../src/index.js'
import { createEvent, SECRET, type SimulatedEvent } from './events.js'
import { createLimitedStore } from './limited-store.js'
import { WITHOUT_TRANSACTION } from './scenario.js'
import { send } from './sender.js'
import { createWorld } from './world.js'

/** A campaign. */
export interface Campaign {
  readonly name: string
  readonly events: number
  /** The events of one burst, and how long they take to arrive. */
  readonly burst: number
  readonly spreadMs: number
  /** The time between the starts of two bursts. */
  readonly gapMs: { readonly from: number; readonly to: number }
  /** What the store can do. A delivery takes two operations, and a late retry four. */
  readonly operationsPerSecond: number
}

/** What became of the events. */
export interface CampaignFindings {
  readonly attempts: number
  /** How many events were delivered with the first attempt, the second … */
  readonly deliveredBy: readonly number[]
  /** Events that got a 200 but were neither processed nor quarantined. */
  readonly lost: number
  readonly doubled: number
  /** Events whose five attempts all failed. The first one disables the webhook. */
  readonly disabled: number
  readonly quarantined: number
  /** The most operations that waited at the same moment. */
  readonly longestQueue: number
  /** When `overloaded` was first reported, and when the first fourth attempt was made, in milliseconds from the start. */
  readonly firstReportMs: number | undefined
  readonly firstFourthAttemptMs: number | undefined
  readonly reports: number
}

const START = Date.UTC(2025, 0, 29)
const STEP_MS = 20
const PROCESSES = 2
/** Every fault comes from the load. */
const FAULTLESS = { ...WITHOUT_TRANSACTION, poison: 0, hangs: 0, kills: 0, flaky: 0, slow: 0, permanent: 0, unknown: 0 }

/** Runs a campaign until every event was delivered or given up. */
export async function simulateCampaign(seed: number, campaign: Campaign): Promise<CampaignFindings> {
  const world = createWorld(seed, START)
  const { store, kept } = createLimitedStore(world, campaign.operationsPerSecond)
  const effects = new Uint8Array(campaign.events)
  const keys = new Map<string, number>()
  const deliveredBy = [0, 0, 0, 0, 0]
  const delivered = new Uint8Array(campaign.events)
  let [attempts, disabled, longestQueue, reports] = [0, 0, 0, 0]
  let firstReportMs: number | undefined
  let firstFourthAttemptMs: number | undefined

  const receivers = Array.from({ length: PROCESSES }, () =>
    createReceiver({
      secret: SECRET,
      store,
      clock: { now: world.now, setTimer: world.after },
      onError({ code }) {
        if (code !== 'overloaded') return
        reports++
        firstReportMs ??= world.now() - START
      },
    }).on('*', ({ data }) => {
      const number = (data as { readonly event_number: number }).event_number
      effects[number] = (effects[number] ?? 0) + 1
    }),
  )

  function deliver(event: SimulatedEvent): void {
    keys.set(createHash('sha256').update(event.body).digest('hex'), event.id)
    const endpoint = ({ body, headers }: SimulatedEvent, respond: (status: number) => void) => {
      attempts++
      if (event.attempts === 4) firstFourthAttemptMs ??= world.now() - START
      const receiver = receivers[world.chance.between(0, PROCESSES - 1)]
      const delivery = { method: 'POST', header: (name: string) => headers[name], headers: () => headers, body }
      void receiver?.receive(delivery).then((outcome) => {
        const { status } = toResponse(outcome)
        if (status === 200 && delivered[event.id] === 0) {
          delivered[event.id] = 1
          deliveredBy[event.attempts - 1] = (deliveredBy[event.attempts - 1] ?? 0) + 1
          if (effects[event.id] === 1) keys.delete(outcome.idempotencyKey ?? '')
        }
        respond(status)
      })
      longestQueue = Math.max(longestQueue, store.waiting?.() ?? 0)
    }
    const gaveUp = () => void disabled++
    send(world, endpoint, event, false, { watch: () => () => true, failed: () => {}, gaveUp })
  }

  let sent = 0
  /** Sends the events of a burst in steps, and plans the next burst. */
  function startBurst(): void {
    const end = Math.min(campaign.events, sent + campaign.burst)
    const perStep = Math.ceil((campaign.burst * STEP_MS) / campaign.spreadMs)
    const sendStep = () => {
      for (let count = 0; count < perStep && sent < end; count++) {
        deliver(createEvent(sent++, world.now(), world.chance, FAULTLESS))
      }
      if (sent < end) world.after(STEP_MS, sendStep)
      else if (sent < campaign.events)
        world.after(world.chance.between(campaign.gapMs.from, campaign.gapMs.to), startBurst)
    }
    sendStep()
  }

  startBurst()
  await world.run()
  const isLost = (number: number, key: string) => delivered[number] === 1 && effects[number] === 0 && !kept.has(key)
  return {
    attempts,
    deliveredBy,
    lost: [...keys].filter(([key, number]) => isLost(number, key)).length,
    doubled: effects.filter((times) => times > 1).length,
    disabled,
    quarantined: kept.size,
    longestQueue,
    firstReportMs,
    firstFourthAttemptMs,
    reports,
  }
}
