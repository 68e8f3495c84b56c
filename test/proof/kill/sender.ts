/**
 * Plays GoValid for one lane of the proof: sends deliveries a few at a time to a worker that dies, waits its minutes by making the store's
 * records older, and tries again with the next worker; until so many workers were killed. Then the effects are counted.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signDelivery } from '../../../src/testing/index.js'
import type { Observer } from './stores.js'
import { POINTS, type WorkerSetup } from './worker.js'

/** What one lane is to do. */
export interface LaneSetup extends Omit<WorkerSetup, 'death' | 'pauseMs'> {
  /** The script that serves as a worker when it is given a setup. */
  readonly script: string
  /** A number from 0 to 1, the next of a seeded sequence. */
  random(): number
  readonly observer: Observer
}

/** What came of it. */
export interface LaneResult {
  readonly deliveries: number
  /** Kills by point. */
  readonly kills: Readonly<Record<string, number>>
  /** Deliveries without an effect, with more than one, and never answered 200. */
  readonly lost: number
  readonly doubled: number
  readonly unanswered: number
}

/** Minutes between tries. Source: govalid docs, webhooks setup. */
const GAPS_MINUTES = [1, 5, 15, 60]
const AT_ONCE = 5
/** Two tries at least are left to every delivery: one that never came to an end four times is set aside, not worked. */
const DEADLY_ATTEMPTS = 3
const ANY_TIME = 'any time'
const ANY_TIME_MS = 12

/** Runs a lane until so many workers were killed. */
export async function runLane(setup: LaneSetup, wanted: number): Promise<LaneResult> {
  const kills: Record<string, number> = Object.fromEntries([...POINTS, ANY_TIME].map((point) => [point, 0]))
  const effects: string[] = []
  let unanswered = 0
  while (sum(kills) < wanted) {
    const batch = await Promise.all(Array.from({ length: AT_ONCE }, () => newDelivery(setup, effects)))
    unanswered += (await deliver(setup, batch, kills)).length
  }
  const counts = await setup.observer.countEffects()
  const times = effects.map((effect) => counts.get(effect) ?? 0)
  return {
    deliveries: effects.length,
    kills,
    lost: times.filter((count) => count === 0).length,
    doubled: times.filter((count) => count > 1).length,
    unanswered,
  }
}

/** A delivery, as it is sent. */
export interface Sent {
  readonly body: Uint8Array
  readonly signature: string
}

/** Signs one more delivery, whose effect is one more of `effects`. */
export async function newDelivery({ secret, scope }: LaneSetup, effects: string[]): Promise<Sent> {
  const delivery = `${scope}-${effects.length}`
  effects.push(delivery)
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data: { delivery } }
  const { rawBody, signature } = await signDelivery(payload, { secret })
  return { body: rawBody, signature }
}

/** Tries each delivery up to five times; gives back those that were never answered 200. */
async function deliver(
  setup: LaneSetup,
  batch: readonly Sent[],
  kills: Record<string, number>,
): Promise<readonly Sent[]> {
  let open = batch
  for (let attempt = 0; attempt <= GAPS_MINUTES.length && open.length > 0; attempt++) {
    if (attempt > 0) await setup.observer.makeLater((GAPS_MINUTES[attempt - 1] as number) * 60_000)
    const point = attempt < DEADLY_ATTEMPTS ? choosePoint(setup) : undefined
    const worker = await startWorker(setup, chooseDeath(setup, point, open.length))
    const responses = Promise.all(open.map((sent) => post(worker.port, sent)))
    if (point === ANY_TIME) setTimeout(() => worker.child.kill('SIGKILL'), setup.random() * ANY_TIME_MS)
    const statuses = await responses
    if (await wasKilled(worker.child)) kills[point as string] = (kills[point as string] ?? 0) + 1
    open = open.filter((_, index) => statuses[index] !== 200)
  }
  return open
}

/** Without a transaction an effect happens twice when the process dies right after it: the control dies there only. */
function choosePoint({ random, transactional }: LaneSetup): string {
  const points = transactional ? [...POINTS, ANY_TIME] : ['after effect']
  return points[Math.floor(random() * points.length)] as string
}

/** Dies at the point of one of the `open` deliveries; at none where the sender kills it. */
function chooseDeath({ random }: LaneSetup, chosen: string | undefined, open: number): Pick<WorkerSetup, 'death'> {
  const time = 1 + Math.floor(random() * open)
  const point = POINTS.find((each) => each === chosen)
  return point ? { death: { point, time } } : {}
}

/** A worker that listens. */
export interface Worker {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a worker. */
export async function startWorker(setup: LaneSetup, fate: Pick<WorkerSetup, 'death' | 'pauseMs'>): Promise<Worker> {
  const { store, scope, services, secret, transactional } = setup
  const told: WorkerSetup = { store, scope, services, secret, transactional, ...fate }
  const child = fork(setup.script, ['worker', JSON.stringify(told)], { execArgv: [] })
  const [address] = (await once(child, 'message')) as [AddressInfo]
  return { child, port: address.port }
}

/** Whether a worker died by SIGKILL; one that lives is told to end. */
async function wasKilled(child: ChildProcess): Promise<boolean> {
  // A kill that was still on its way when the last answer came counts as well.
  if (child.connected) child.disconnect()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode === 'SIGKILL'
}

/** Sends a delivery; gives back the status of the answer, or `undefined` when the connection broke. */
export function post(port: number, { body, signature }: Sent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'x-govalid-signature': signature }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
      response.on('error', () => resolve(undefined))
    })
    sent.setTimeout(5000, () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.end(body)
  })
}

/** The sum of all counts. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
