/**
 * Runs one simulation: GoValid's sender, several processes with the real core, a shared database, and every fault of the scenario.
 * In: a seed, a scenario, a policy. Out: the lost, doubled, wasted and disabled counts, and a hash of the whole trace.
 */
import { createHash } from 'node:crypto'
import { createReceiver, type Receiver } from '../../../src/create-receiver.js'
import { toResponse } from '../../../src/delivery/response.js'
import { PermanentError } from '../../../src/errors.js'
import type { Store } from '../../../src/stores/store.js'
import type { HandlerContext } from '../../../src/types.js'
import { createDatabase, type Database, type SimulatedTransaction } from './database.js'
import { createEvent, SECRET, type SimulatedEvent } from './events.js'
import { createHost, type Host, type Process } from './host.js'
import type { Policy } from './policies.js'
import { createQueue, type SharedQueue } from './queue.js'
import type { Scenario } from './scenario.js'
import { send } from './sender.js'
import { createWorld, type World } from './world.js'

/** The result of a simulation. */
export interface Findings {
  events: number
  attempts: number
  /** Events that reached a process and were neither processed nor quarantined. */
  lost: number
  /** Events whose five attempts all met machines that were down. No receiver can prevent that. */
  unreached: number
  /** Events that were processed more than once. */
  doubled: number
  /** Attempts that failed although neither the store nor a handler nor the process had a fault. */
  wasted: number
  /** The number of times that the sender disabled the webhook. */
  disabled: number
  /** Events in the quarantine. */
  kept: number
  /** Events in the quarantine that were processed after all. Reprocessing finds them finished. */
  stale: number
  /** A hash of every response and effect, in order. */
  trace: string
}

const START = Date.UTC(2025, 0, 29)

/** Runs one simulation to its end. */
export async function simulate(seed: number, count: number, scenario: Scenario, policy: Policy): Promise<Findings> {
  const world = createWorld(seed, START)
  const database = createDatabase(world, scenario)
  const queue = scenario.inbox ? createQueue(world, scenario) : undefined
  const trace = createHash('sha256')
  const events: SimulatedEvent[] = []
  const byKey = new Map<string, SimulatedEvent>()
  const nodes = Array.from({ length: scenario.processes }, () =>
    createNode(world, { database, queue }, scenario, policy, events, byKey),
  )
  const findings: Findings = {
    events: count,
    attempts: 0,
    lost: 0,
    unreached: 0,
    doubled: 0,
    wasted: 0,
    disabled: 0,
    kept: 0,
    stale: 0,
    trace: '',
  }
  const fromEvent = world.chance.happens(0.5)
  for (let id = 0; id < count; id++) {
    world.after(world.chance.unit() * scenario.spanMs, () => {
      const event = createEvent(id, world.now(), world.chance, scenario)
      events[id] = event
      byKey.set(createHash('sha256').update(event.body).digest('hex'), event)
      sendEvent(world, nodes, event, fromEvent, scenario, (line) => trace.update(`${world.now()} ${line}\n`), findings)
    })
  }
  await world.run()
  for (const event of events) {
    findings.attempts += event.attempts
    findings.wasted += event.wasted
    if (event.effects > 1) findings.doubled++
  }
  const keptIds = new Set([...database.kept.keys()].map((key) => byKey.get(key)?.id))
  findings.kept = keptIds.size
  findings.stale = events.filter((event) => event.effects > 0 && keptIds.has(event.id)).length
  const missing = events.filter((event) => event.known && event.effects === 0 && !keptIds.has(event.id))
  findings.lost = missing.filter(({ received }) => received).length
  findings.unreached = missing.length - findings.lost
  findings.trace = trace.digest('hex').slice(0, 16)
  return findings
}

function numberOf(data: object): number {
  return (data as { readonly event_number: number }).event_number
}

interface Node {
  readonly host: Host
  receive(event: SimulatedEvent, response: (status: number) => void): void
}

function createNode(
  world: World,
  { database, queue }: { readonly database: Database; readonly queue: SharedQueue | undefined },
  scenario: Scenario,
  policy: Policy,
  events: readonly SimulatedEvent[],
  byKey: ReadonlyMap<string, SimulatedEvent>,
): Node {
  const host = createHost(world, world.chance.between(-scenario.skewMs, scenario.skewMs))
  const blame = (key: string) => {
    const event = byKey.get(key)
    if (event) event.faults++
  }
  const start = () => {
    const process = host.process()
    const connected = database.connect(process, blame)
    const store = policy.store ? policy.store(connected) : connected
    const inbox = queue?.connect(process, blame)
    return createReceiver<Record<never, never>, Store<SimulatedTransaction>>({
      secret: SECRET,
      clock: process.clock,
      onError: () => {},
      ...policy.options,
      ...(inbox && { inbox: policy.inbox?.(inbox) ?? inbox }),
      store: (policy.withoutQuarantine ? { ...store, quarantine: undefined } : store) as typeof connected,
    }).on('*', (event, context) => handle(host, process, scenario, events[numberOf(event.data)], context))
  }
  let receiver: Pick<Receiver, 'receive'> = start()
  host.onRestart(() => {
    receiver = start()
  })
  planMishaps(world, host, scenario)
  return {
    host,
    receive(event, response) {
      const { body, headers } = event
      event.received = true
      const process = host.process()
      const outcome = receiver.receive({
        method: 'POST',
        header: (name) => headers[name],
        headers: () => headers,
        body,
      })
      void outcome.then((ended) => {
        if (ended.status === 'busy' || ended.status === 'unfinished') event.faults++
        process.after(0, () => response(policy.status?.(ended) ?? toResponse(ended).status))
      })
    },
  }
}

function planMishaps(world: World, host: Host, scenario: Scenario): void {
  const hours = scenario.spanMs / 3_600_000
  const moments = (perHour: number, fn: () => void) => {
    for (let index = 0; index < perHour * hours; index++) world.after(world.chance.unit() * scenario.spanMs, fn)
  }
  moments(scenario.crashesPerHour, () => host.crash())
  moments(scenario.freezesPerHour, () => host.freeze(world.chance.between(100, scenario.freezeMs)))
}

async function handle(
  host: Host,
  process: Process,
  scenario: Scenario,
  event: SimulatedEvent | undefined,
  context: HandlerContext<SimulatedTransaction>,
): Promise<void> {
  if (!event) throw new Error('the handler received an event that was never sent')
  event.runs++
  const effect = () => void event.effects++
  const isFirst = event.runs === 1
  switch (event.behaviour) {
    case 'kills':
      await process.sleep(50)
      host.crash()
      return new Promise(() => {})
    case 'hangs':
      event.faults++
      return new Promise(() => {})
    case 'poison':
      event.faults++
      await process.sleep(30)
      throw new Error('always fails')
    case 'permanent':
      throw new PermanentError('fails permanently')
    case 'flaky':
      if (isFirst) {
        event.faults++
        await process.sleep(30)
        throw new Error('fails the first time')
      }
      break
    case 'slow':
      event.faults++
      await process.sleep(8000 + (event.id % 5) * 20_000)
      if (isFirst && event.id % 3 === 0) throw new Error('fails slowly the first time')
      break
    case 'well':
      await process.sleep(20)
  }
  if (scenario.transactional) await context.transaction(effect)
  else effect()
}

function sendEvent(
  world: World,
  nodes: readonly Node[],
  event: SimulatedEvent,
  fromEvent: boolean,
  scenario: Scenario,
  record: (line: string) => void,
  findings: Findings,
): void {
  const { chance } = world
  const pick = () => nodes[chance.between(0, nodes.length - 1)] as Node
  const arrive = (node: Node, response: (status: number) => void) => {
    world.after(chance.between(5, 60), () => {
      if (node.host.isUp()) node.host.process().after(0, () => node.receive(event, response))
    })
  }
  let node = pick()
  send(
    world,
    (_, response) => {
      arrive(node, (status) => {
        record(`${event.id} ${status} ${event.effects}`)
        response(status)
      })
      if (chance.happens(scenario.copied)) {
        // A copy in progress makes the original busy, which is the network's fault, not the receiver's.
        event.faults++
        arrive(pick(), () => {})
      }
    },
    event,
    fromEvent,
    {
      watch() {
        node = pick()
        const { host } = node
        const before = { faults: event.faults, mishaps: host.mishaps(), up: host.isUp(), frozen: host.isFrozen() }
        return () => {
          return event.faults > before.faults || host.mishaps() > before.mishaps || !before.up || before.frozen
        }
      },
      failed: ({ number, status }) => record(`${event.id} attempt ${number} failed ${status ?? 'no response'}`),
      gaveUp() {
        findings.disabled++
        record(`${event.id} disabled`)
      },
    },
  )
}
