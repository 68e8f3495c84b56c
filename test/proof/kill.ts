/**
 * `npm run proof:kill`: a real server is killed with SIGKILL again and again, at each point of its work, while GoValid's tries go on; others are
 * frozen in their handler. With a transactional store no event is lost and no effect happens twice; without the transaction some do, or the
 * proof proves nothing. Exits with 1 when anything is otherwise.
 *
 * Options: `--store NAME` (repeatable; all), `--kills N` (1,000 a store), `--seed N` (any), `--lanes N` (2 at a time).
 */
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findServices } from '../../scripts/services.mjs'
import { freezeWorkers } from './kill/freeze.js'
import { type LaneResult, type LaneSetup, runLane, sum } from './kill/sender.js'
import { KILL_STORES, type KillStore, type Services } from './kill/stores.js'
import { serveWorker, type WorkerSetup } from './kill/worker.js'
import { createRandom } from './random.js'

const SECRET = 'your_webhook_secret'
/** The control needs fewer kills to show what it shows. */
const CONTROL_SHARE = 0.1
const CONTROL_LEAST = 10
const FREEZE_SHARE = 0.02
const FREEZES_LEAST = 2

if (process.argv[2] === 'worker') await serveWorker(JSON.parse(process.argv[3] ?? '{}') as WorkerSetup)
else process.exitCode = await prove()

/** Runs the proof; gives back the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', multiple: true, default: Object.keys(KILL_STORES) },
      kills: { type: 'string', default: '1000' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      lanes: { type: 'string', default: '2' },
    },
  })
  const [kills, seed, lanes] = [values.kills, values.seed, values.lanes].map(Number) as [number, number, number]
  const found = await findServices()
  const services = { postgres: found.postgres?.url ?? '' }
  let kept = true
  try {
    console.log(`seed ${seed}`)
    for (const name of values.store) kept = (await proveStore(name, { kills, seed, lanes, services })) && kept
  } finally {
    await Promise.all([found.postgres?.stop(), found.redis?.stop()])
  }
  return kept ? 0 : 1
}

interface Means {
  readonly kills: number
  readonly seed: number
  readonly lanes: number
  readonly services: Services
}

async function proveStore(name: string, means: Means): Promise<boolean> {
  const store = KILL_STORES[name]
  if (!store) throw new Error(`no store ${name}; there are ${Object.keys(KILL_STORES).join(', ')}`)
  if (store.needs && means.services[store.needs] === '') {
    console.log(`${name}: skipped, ${store.needs} was neither found nor could be started`)
    return process.env['REQUIRE_SERVICES'] !== '1'
  }
  const kept = report(name, await runKills(name, store, means, true), ({ lost, doubled, unanswered }) => {
    return lost === 0 && doubled === 0 && unanswered === 0
  })
  const control = { ...means, kills: Math.max(CONTROL_LEAST, Math.round(means.kills * CONTROL_SHARE)) }
  const title = `${name} without transaction (control, must double)`
  const caught = report(title, await runKills(name, store, control, false), ({ lost, doubled, unanswered }) => {
    return lost === 0 && doubled > 0 && unanswered === 0
  })
  return (await runFreezes(name, store, means)) && kept && caught
}

interface Timed extends LaneResult {
  readonly seconds: number
}

async function runKills(name: string, store: KillStore, means: Means, transactional: boolean): Promise<Timed> {
  const startedAt = performance.now()
  const kills = Math.ceil(means.kills / means.lanes)
  const lanes = await Promise.all(
    Array.from({ length: means.lanes }, (_, lane) =>
      withLane(name, store, means, { transactional, lane }, (setup) => runLane(setup, kills)),
    ),
  )
  return { ...lanes.reduce(addResults), seconds: (performance.now() - startedAt) / 1000 }
}

async function runFreezes(name: string, store: KillStore, means: Means): Promise<boolean> {
  const times = Math.max(FREEZES_LEAST, Math.round(means.kills * FREEZE_SHARE))
  const result = await withLane(name, store, means, { transactional: true, lane: 0 }, (setup) =>
    freezeWorkers(setup, times),
  )
  const right = result.wrong === 0 && result.otherwise === 0
  console.log(
    `${name}: ${result.frozen} processes frozen in their handler for 90 s by the store's clock: ${result.wrong} deliveries with another number of effects ` +
      `than one, ${result.otherwise} answered otherwise than expected: ${right ? 'as expected' : 'FAILED'}`,
  )
  return right
}

/** Runs `work` on a scope of its own, and removes the scope. */
async function withLane<Result>(
  name: string,
  store: KillStore,
  { services, seed }: Means,
  { transactional, lane }: { readonly transactional: boolean; readonly lane: number },
  work: (setup: LaneSetup) => Promise<Result>,
): Promise<Result> {
  const scope = `govalid_kill_${process.pid}_${transactional ? 'tx' : 'control'}_${lane}`
  const observer = await store.observe(scope, services)
  const random = createRandom(seed * 1000 + lane).next
  const script = fileURLToPath(import.meta.url)
  try {
    return await work({ store: name, scope, services, secret: SECRET, transactional, script, random, observer })
  } finally {
    await observer.remove()
  }
}

function addResults(left: LaneResult, right: LaneResult): LaneResult {
  return {
    deliveries: left.deliveries + right.deliveries,
    kills: Object.fromEntries(
      Object.entries(left.kills).map(([point, count]) => [point, count + (right.kills[point] ?? 0)]),
    ),
    lost: left.lost + right.lost,
    doubled: left.doubled + right.doubled,
    unanswered: left.unanswered + right.unanswered,
  }
}

function report(title: string, result: Timed, isRight: (result: LaneResult) => boolean): boolean {
  const { deliveries, kills, lost, doubled, unanswered, seconds } = result
  const points = Object.entries(kills).filter(([, count]) => count > 0)
  const right = isRight(result)
  console.log(
    `${title}: ${sum(kills)} kills (${points.map(([point, count]) => `${point} ${count}`).join(', ')}) over ${deliveries} deliveries: ` +
      `${lost} lost, ${doubled} doubled, ${unanswered} never answered 200; ${seconds.toFixed(1)} s: ${right ? 'as expected' : 'FAILED'}`,
  )
  return right
}
