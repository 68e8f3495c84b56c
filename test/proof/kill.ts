/**
 * `npm run proof:kill`: a real server is killed with SIGKILL again and again, at each point of its work, while GoValid's tries go on. With a
 * transactional store no event is lost and no effect happens twice; without the transaction some do, or the proof proves nothing. Exits
 * with 1 when anything is otherwise.
 *
 * Options: `--store NAME` (repeatable; all), `--kills N` (1,000 a store), `--seed N` (any), `--lanes N` (2 at a time).
 */
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findServices } from '../../scripts/services.mjs'
import { type LaneResult, runLane, sum } from './kill/sender.js'
import { KILL_STORES, type KillStore, type Services } from './kill/stores.js'
import { serveWorker, type WorkerSetup } from './kill/worker.js'

const SECRET = 'your_webhook_secret'
/** The control needs fewer kills to show what it shows. */
const CONTROL_SHARE = 0.1
const CONTROL_LEAST = 10

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
  const kept = await report(name, await run(name, store, means, true), ({ lost, doubled, unanswered }) => {
    return lost === 0 && doubled === 0 && unanswered === 0
  })
  const control = { ...means, kills: Math.max(CONTROL_LEAST, Math.round(means.kills * CONTROL_SHARE)) }
  const caught = await report(
    `${name} without transaction (control, must double)`,
    await run(name, store, control, false),
    (result) => {
      return result.lost === 0 && result.doubled > 0 && result.unanswered === 0
    },
  )
  return kept && caught
}

interface Timed extends LaneResult {
  readonly seconds: number
}

async function run(name: string, store: KillStore, means: Means, transactional: boolean): Promise<Timed> {
  const startedAt = performance.now()
  const lanes = await Promise.all(
    Array.from({ length: means.lanes }, async (_, lane) => {
      const scope = `govalid_kill_${process.pid}_${transactional ? 'tx' : 'control'}_${lane}`
      const observer = await store.observe(scope, means.services)
      const random = createRandom(means.seed * 1000 + lane)
      const kills = Math.ceil(means.kills / means.lanes)
      const script = fileURLToPath(import.meta.url)
      try {
        return await runLane({
          store: name,
          scope,
          services: means.services,
          secret: SECRET,
          transactional,
          script,
          kills,
          random,
          observer,
        })
      } finally {
        await observer.remove()
      }
    }),
  )
  return { ...lanes.reduce(addResults), seconds: (performance.now() - startedAt) / 1000 }
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

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return function random() {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
