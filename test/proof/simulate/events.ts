/**
 * The events of a simulation: signed bytes, and how the handler will behave when it meets each.
 */
import { createHmac, createSecretKey } from 'node:crypto'
import type { Scenario } from './scenario.js'
import type { Chance } from './world.js'

/** How a handler behaves with one event. */
export type Behaviour = 'well' | 'slow' | 'flaky' | 'poison' | 'hangs' | 'kills' | 'permanent'

/** One event and what became of it. */
export interface SimulatedEvent {
  readonly id: number
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly behaviour: Behaviour
  readonly known: boolean
  /** When GoValid made it. */
  readonly createdAt: number
  /** How often its effect happened. */
  effects: number
  /** How often its handler was started. */
  runs: number
  /** How often a fault of the store, the quarantine or a handler befell it, or another worker was still at it. */
  faults: number
  /** Whether a handler of it is running anywhere; a crashed one is not. */
  finished: boolean
  /** Whether the sender was answered 200. */
  delivered: boolean
  attempts: number
  wasted: number
}

/** The secret of the simulated webhook. */
export const SECRET = 'simulated secret'
const key = createSecretKey(Buffer.from(SECRET))

/** Makes an event. */
export function createEvent(id: number, createdAt: number, chance: Chance, scenario: Scenario): SimulatedEvent {
  const known = !chance.happens(scenario.unknown)
  const payload = {
    event: known ? 'qr.created' : 'qr.archived',
    timestamp: new Date(createdAt).toISOString(),
    webhook_id: 'wh-001',
    data: { id: `qr-${id}`, event_number: id },
  }
  const body = Buffer.from(JSON.stringify(payload))
  const signature = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
  const headers = { 'x-govalid-signature': signature }
  const behaviour = chooseBehaviour(chance, scenario)
  const untouched = { effects: 0, runs: 0, faults: 0, finished: false, delivered: false, attempts: 0, wasted: 0 }
  return { id, body, headers, behaviour, known, createdAt, ...untouched }
}

function chooseBehaviour(chance: Chance, scenario: Scenario): Behaviour {
  let left = chance.unit()
  for (const behaviour of ['slow', 'flaky', 'poison', 'hangs', 'kills', 'permanent'] as const) {
    left -= scenario[behaviour]
    if (left < 0) return behaviour
  }
  return 'well'
}
