/**
 * Plays GoValid for one lane of the proof: sends a few deliveries at a time to a worker that dies, ages the store's records by the minutes
 * until the next attempt, and retries with the next worker. Once enough workers were killed, the lane counts the effects.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signDelivery } from '../../../src/testing/index.js'
import type { Observer } from './stores.js'
import { POINTS, type WorkerSetup } from './worker.js'

/** The setup of a lane. */
export interface LaneSetup extends Omit<WorkerSetup, 'death' | 'pauseMs'> {
  /** The script that serves as a worker. */
  readonly script: string
  /** The next number, from 0 to 1, of a seeded sequence. */
  random(): number
  readonly observer: Observer
}

/** The result of a lane. */
export interface LaneResult {
  readonly deliveries: number
  /** Kills by point. */
  readonly kills: Readonly<Record<string, number>>
  /** Deliveries without an effect, with more than one effect, and without a 200. */
  readonly lost: number
  readonly doubled: number
  readonly unanswered: number
}

/** Minutes between attempts. Source: govalid docs, webhooks setup. */
const GAPS_MINUTES = [1, 5, 15, 60]
/** Enough for groups of writes. */
const AT_ONCE = 20
/** Only the first three attempts may crash: a delivery that crashed four times is quarantined instead of run. */
const DEADLY_ATTEMPTS = 3
/** So many groups come about in most workers. */
const MAX_GROUPS = 3
const ANY_TIME = 'any time'
const ANY_TIME_MS = 12

/** Runs a lane until `wanted` workers were killed. */
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

/** A signed delivery. */
export interface Sent {
  readonly body: Uint8Array
  readonly signature: string
}

/** Signs a new delivery and adds its effect to `effects`. */
export async function newDelivery({ secret, scope }: LaneSetup, effects: string[]): Promise<Sent> {
  const delivery = `${scope}-${effects.length}`
  effects.push(delivery)
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data: { delivery } }
  const { rawBody, signature } = await signDelivery(payload, { secret })
  return { body: rawBody, signature }
}

/** Makes up to five attempts per delivery. Returns the deliveries that never got 200. */
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

/** Chooses where the worker dies. The control dies only after the effect, where a missing transaction doubles it. */
function choosePoint({ random, transactional }: LaneSetup): string {
  const points = transactional ? [...POINTS, ANY_TIME] : ['after effect']
  return points[Math.floor(random() * points.length)] as string
}

/** Makes the worker die at the point of one of the `open` deliveries, unless the sender kills it. */
function chooseDeath({ random }: LaneSetup, chosen: string | undefined, open: number): Pick<WorkerSetup, 'death'> {
  const point = POINTS.find((each) => each === chosen)
  const time = 1 + Math.floor(random() * (point === 'in a group' ? MAX_GROUPS : open))
  return point ? { death: { point, time } } : {}
}

/** A listening worker. */
export interface Worker {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a worker. */
export async function startWorker(setup: LaneSetup, fate: Pick<WorkerSetup, 'death' | 'pauseMs'>): Promise<Worker> {
  const { store, scope, services, secret, transactional } = setup
  const workerSetup: WorkerSetup = { store, scope, services, secret, transactional, ...fate }
  const child = fork(setup.script, ['worker', JSON.stringify(workerSetup)], { execArgv: [] })
  const [address] = (await once(child, 'message')) as [AddressInfo]
  return { child, port: address.port }
}

/** Whether a worker died by SIGKILL. Ends a worker that is still alive. */
async function wasKilled(child: ChildProcess): Promise<boolean> {
  // A kill that was still pending at the last response counts as well.
  if (child.connected) child.disconnect()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode === 'SIGKILL'
}

/** Sends a delivery. Resolves to the HTTP status, or `undefined` if the connection broke. */
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
