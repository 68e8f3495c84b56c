/** The events of a simulation: signed bytes, and the behavior of the handler for each. */
import { createHmac, createSecretKey } from 'node:crypto'
import type { Scenario } from './scenario.js'
import type { Chance } from './world.js'

/** The behavior of the handler for an event. */
export type Behaviour = 'well' | 'slow' | 'flaky' | 'poison' | 'hangs' | 'kills' | 'permanent'

/** An event and its results. */
export interface SimulatedEvent {
  readonly id: number
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly behaviour: Behaviour
  readonly known: boolean
  /** When GoValid made it. */
  readonly createdAt: number
  /** The number of times its effect happened. */
  effects: number
  /** The number of times its handler was started. */
  runs: number
  /** The number of faults of the store, the quarantine or a handler, and of attempts that found it in progress. */
  faults: number
  /** Whether a handler of it is running anywhere; a crashed one is not. */
  finished: boolean
  /** Whether an attempt reached a running process. */
  received: boolean
  /** Whether the sender got 200. */
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
  const untouched = {
    effects: 0,
    runs: 0,
    faults: 0,
    finished: false,
    received: false,
    delivered: false,
    attempts: 0,
    wasted: 0,
  }
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
