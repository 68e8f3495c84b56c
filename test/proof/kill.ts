/**
 * `npm run proof -- kill`: kills a real server with SIGKILL again and again, at each point of a delivery, while GoValid's attempts continue.
 * Other processes are frozen in their handler. With a transactional store no event is lost and no effect happens twice. The control without
 * the transaction must double some. Exits with 1 if a result differs.
 *
 * Options: `--store NAME` (repeatable; all), `--kills N` (1,000 per store), `--seed N` (any), `--lanes N` (2 in parallel).
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
/** The control needs fewer kills to show the fault. */
const CONTROL_SHARE = 0.1
const MIN_CONTROL_KILLS = 10
const FREEZE_SHARE = 0.02
const MIN_FREEZES = 2

if (process.argv[2] === 'worker') await serveWorker(JSON.parse(process.argv[3] ?? '{}') as WorkerSetup)
else process.exitCode = await prove()

/** Runs the proof and returns the exit code. */
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
  let isKept = true
  try {
    console.log(`seed ${seed}`)
    for (const name of values.store) isKept = (await proveStore(name, { kills, seed, lanes, services })) && isKept
  } finally {
    await Promise.all([found.postgres?.stop(), found.redis?.stop()])
  }
  return isKept ? 0 : 1
}

interface ProofSetup {
  readonly kills: number
  readonly seed: number
  readonly lanes: number
  readonly services: Services
}

async function proveStore(name: string, proof: ProofSetup): Promise<boolean> {
  const store = KILL_STORES[name]
  if (!store) throw new Error(`no store ${name}; there are ${Object.keys(KILL_STORES).join(', ')}`)
  if (store.needs && proof.services[store.needs] === '') {
    console.log(`${name}: skipped, because ${store.needs} was not found and could not be started`)
    return process.env['REQUIRE_SERVICES'] !== '1'
  }
  const isKept = report(name, await runKills(name, store, proof, true), ({ lost, doubled, unanswered }) => {
    return lost === 0 && doubled === 0 && unanswered === 0
  })
  const control = { ...proof, kills: Math.max(MIN_CONTROL_KILLS, Math.round(proof.kills * CONTROL_SHARE)) }
  const title = `${name} without transaction (control, must double)`
  const isCaught = report(title, await runKills(name, store, control, false), ({ lost, doubled, unanswered }) => {
    return lost === 0 && doubled > 0 && unanswered === 0
  })
  return (await runFreezes(name, store, proof)) && isKept && isCaught
}

interface Timed extends LaneResult {
  readonly seconds: number
}

async function runKills(name: string, store: KillStore, proof: ProofSetup, transactional: boolean): Promise<Timed> {
  const startedAt = performance.now()
  const kills = Math.ceil(proof.kills / proof.lanes)
  const lanes = await Promise.all(
    Array.from({ length: proof.lanes }, (_, lane) =>
      withLane(name, store, proof, { transactional, lane }, (setup) => runLane(setup, kills)),
    ),
  )
  return { ...lanes.reduce(addResults), seconds: (performance.now() - startedAt) / 1000 }
}

async function runFreezes(name: string, store: KillStore, proof: ProofSetup): Promise<boolean> {
  const times = Math.max(MIN_FREEZES, Math.round(proof.kills * FREEZE_SHARE))
  const result = await withLane(name, store, proof, { transactional: true, lane: 0 }, (setup) =>
    freezeWorkers(setup, times),
  )
  const isRight = result.wrong === 0 && result.unexpected === 0
  console.log(
    `${name}: ${result.frozen} processes frozen in their handler for 90 s by the store's clock: ${result.wrong} deliveries without exactly one effect, ` +
      `${result.unexpected} with unexpected responses: ${isRight ? 'as expected' : 'FAILED'}`,
  )
  return isRight
}

/** Calls `run` with a new scope and removes the scope afterwards. */
async function withLane<Result>(
  name: string,
  store: KillStore,
  { services, seed }: ProofSetup,
  { transactional, lane }: { readonly transactional: boolean; readonly lane: number },
  run: (setup: LaneSetup) => Promise<Result>,
): Promise<Result> {
  const scope = `govalid_kill_${process.pid}_${transactional ? 'tx' : 'control'}_${lane}`
  const observer = await store.observe(scope, services)
  const random = createRandom(seed * 1000 + lane).next
  const script = fileURLToPath(import.meta.url)
  try {
    return await run({ store: name, scope, services, secret: SECRET, transactional, script, random, observer })
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
  const isAsExpected = isRight(result)
  console.log(
    `${title}: ${sum(kills)} kills (${points.map(([point, count]) => `${point} ${count}`).join(', ')}) over ${deliveries} deliveries: ` +
      `${lost} lost, ${doubled} doubled, ${unanswered} never got 200; ${seconds.toFixed(1)} s: ${isAsExpected ? 'as expected' : 'FAILED'}`,
  )
  return isAsExpected
}
