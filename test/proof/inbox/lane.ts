/**
 * Plays GoValid for one inbox. Each round sends a few deliveries to a process that dies, and retries those without a 200. The last process
 * lives until the inbox has drained. Then the lane counts the effects and the outcomes of a delivery that always fails.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { signDelivery } from '../../../src/testing/index.js'
import { post } from '../kill/sender.js'
import type { Observer } from '../kill/stores.js'
import type { EngineObserver } from './engines.js'
import { type Message, POINTS, type ProcessSetup } from './process.js'

/** The setup of a lane. */
export interface LaneSetup extends Omit<ProcessSetup, 'death'> {
  /** The script that serves as a process. */
  readonly script: string
  /** The number of kills at each point. */
  readonly killsPerPoint: number
  readonly observer: Observer
  readonly engineObserver: EngineObserver
}

/** The result of a lane. */
export interface LaneResult {
  readonly deliveries: number
  readonly kills: number
  /** Neither processed nor in the quarantine. */
  readonly lost: number
  readonly doubled: number
  /** Deliveries that more than twenty dying processes had fetched. They had no effect. */
  readonly quarantined: number
  /** Deliveries that never got 200. */
  readonly unanswered: number
  /** The attempts of a delivery whose handler always fails, by outcome. */
  readonly poison: Readonly<Record<string, number>>
}

const AT_ONCE = 5
const DIES_WITHIN_MS = 30_000
const DRAINS_WITHIN_MS = 240_000
/** The maximum number of attempts for deliveries without a 200 at the end. */
const MAX_ATTEMPTS = 20
/** Longer than any lease of a store. */
const LATER_MS = 120_000

interface Sent {
  readonly body: Uint8Array
  readonly signature: string
}

/** Runs a lane. */
export async function runLane(setup: LaneSetup): Promise<LaneResult> {
  const effects: Effect[] = []
  const points = setup.transactional ? POINTS : (['after effect'] as const)
  let kills = 0
  let open: readonly Sent[] = []
  for (const point of points) {
    for (let round = 0; round < setup.killsPerPoint; round++) {
      const fresh = await Promise.all(Array.from({ length: AT_ONCE }, () => newDelivery(setup, effects)))
      const started = await startProcess(setup, { point, time: 1 + (round % AT_ONCE) })
      open = await sendAll(started.port, [...open, ...fresh])
      if (await dies(started.child)) kills++
      await setup.observer.makeLater(LATER_MS)
      await setup.engineObserver.freeLeases()
    }
  }
  const { unanswered, poison } = await drain(setup, open)
  const counts = await setup.observer.countEffects()
  const quarantinedKeys = await setup.observer.quarantinedKeys()
  const timesOf = ({ delivery }: Effect) => counts.get(delivery) ?? 0
  const missing = effects.filter((effect) => timesOf(effect) === 0)
  const quarantined = missing.filter(({ key }) => quarantinedKeys.has(key)).length
  return {
    deliveries: effects.length,
    kills,
    lost: missing.length - quarantined,
    doubled: effects.filter((effect) => timesOf(effect) > 1).length,
    quarantined,
    unanswered,
    poison,
  }
}

/** What the handler of a delivery writes, and the delivery's key. */
interface Effect {
  readonly delivery: string
  readonly key: string
}

async function newDelivery(setup: LaneSetup, effects: Effect[]): Promise<Sent> {
  const delivery = `${setup.scope}-${randomUUID()}`
  const sent = await sign(setup, delivery)
  effects.push({ delivery, key: keyOf(sent) })
  return sent
}

function keyOf({ body }: Sent): string {
  return createHash('sha256').update(body).digest('hex')
}

async function sign({ secret }: LaneSetup, delivery: string): Promise<Sent> {
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data: { delivery } }
  const { rawBody, signature } = await signDelivery(payload, { secret })
  return { body: rawBody, signature }
}

/** Sends each delivery once. Returns those that didn't get 200. */
async function sendAll(port: number, deliveries: readonly Sent[]): Promise<readonly Sent[]> {
  const statuses = await Promise.all(deliveries.map((delivery) => post(port, delivery)))
  return deliveries.filter((_, index) => statuses[index] !== 200)
}

/** Sends each delivery until it gets 200. A busy machine can't accept all that piled up at once. */
async function sendUntilAccepted(port: number, deliveries: readonly Sent[]): Promise<readonly Sent[]> {
  let open = deliveries
  for (let attempts = 0; open.length > 0 && attempts < MAX_ATTEMPTS; attempts++) {
    if (attempts > 0) await new Promise((resolve) => setTimeout(resolve, 1000))
    open = await sendAll(port, open)
  }
  return open
}

async function startProcess(setup: LaneSetup, death: ProcessSetup['death']) {
  const { engine, scope, services, secret, transactional } = setup
  const processSetup: ProcessSetup = { engine, scope, services, secret, transactional, ...(death && { death }) }
  const child = fork(setup.script, ['process', JSON.stringify(processSetup)], { execArgv: [] })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

async function dies(child: ChildProcess): Promise<boolean> {
  if (child.exitCode === null && child.signalCode === null) {
    const cancel = setTimeout(() => child.disconnect(), DIES_WITHIN_MS)
    await once(child, 'exit')
    clearTimeout(cancel)
  }
  return child.signalCode === 'SIGKILL'
}

/** Starts a process that lives until the inbox has drained. */
async function drain(setup: LaneSetup, open: readonly Sent[]) {
  const poisoned = await sign(setup, `poison-${setup.scope}`)
  const key = keyOf(poisoned)
  const poison: Record<string, number> = {}
  let isDrained = false
  const { child, port } = await startProcess(setup, undefined)
  child.on('message', (message: Message) => {
    if ('drained' in message) isDrained = message.drained
    if ('status' in message && message.key === key) poison[message.status] = (poison[message.status] ?? 0) + 1
  })
  const unanswered = (await sendUntilAccepted(port, [...open, poisoned])).length
  const endsAt = Date.now() + DRAINS_WITHIN_MS
  while (!isDrained && Date.now() < endsAt) {
    await setup.engineObserver.skipPauses()
    await new Promise((resolve) => setTimeout(resolve, 250))
    child.send('status')
  }
  child.disconnect()
  await once(child, 'exit')
  return { unanswered, poison }
}
