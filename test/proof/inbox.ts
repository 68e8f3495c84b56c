/**
 * `npm run proof:inbox`: a real process that accepts and works is killed with SIGKILL at each point, over each inbox on its real engine. What
 * was answered 200 is worked once: nothing is lost, and with a transactional store nothing doubled; without the transaction some is, or the
 * proof proves nothing. A delivery whose handler always fails is tried twenty times and set aside, long after its 200. Exits with 1 when
 * anything is otherwise.
 *
 * Options: `--inbox NAME` (repeatable; all), `--kills N` (5 at each point).
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findServices } from '../../scripts/services.mjs'
import { ENGINES, type Services } from './inbox/engines.js'
import { type LaneResult, runLane } from './inbox/lane.js'
import { type ProcessSetup, serveProcess } from './inbox/process.js'
import { KILL_STORES } from './kill/stores.js'

const SECRET = 'your_webhook_secret'
const MAX_ATTEMPTS = 20

if (process.argv[2] === 'process') await serveProcess(JSON.parse(process.argv[3] ?? '{}') as ProcessSetup)
else process.exitCode = await prove()

/** Runs the proof; gives back the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      inbox: { type: 'string', multiple: true, default: Object.keys(ENGINES) },
      kills: { type: 'string', default: '5' },
    },
  })
  const found = await findServices()
  const services = { postgres: found.postgres?.url ?? '', redis: found.redis?.url ?? '' }
  let kept = true
  try {
    for (const name of values.inbox) kept = (await proveInbox(name, Number(values.kills), services)) && kept
  } finally {
    await Promise.all([found.postgres?.stop(), found.redis?.stop()])
  }
  return kept ? 0 : 1
}

async function proveInbox(name: string, kills: number, services: Services): Promise<boolean> {
  const engine = ENGINES[name]
  if (!engine) throw new Error(`no inbox ${name}; there are ${Object.keys(ENGINES).join(', ')}`)
  if (engine.needs && services[engine.needs] === '') {
    console.log(`${name}: skipped, ${engine.needs} was neither found nor could be started`)
    return process.env['REQUIRE_SERVICES'] !== '1'
  }
  const kept = await run(name, kills, services, true, ({ lost, doubled, unanswered, poison }) => {
    const isSetAside = poison['failed'] === MAX_ATTEMPTS - 1 && poison['quarantined'] === 1
    return lost === 0 && doubled === 0 && unanswered === 0 && isSetAside
  })
  const caught = await run(name, kills, services, false, ({ lost, doubled }) => lost === 0 && doubled > 0)
  return kept && caught
}

async function run(
  name: string,
  killsPerPoint: number,
  services: Services,
  transactional: boolean,
  isRight: (result: LaneResult) => boolean,
): Promise<boolean> {
  const engine = ENGINES[name] as (typeof ENGINES)[string]
  const startedAt = performance.now()
  const scope = `govalid_inbox_${process.pid}_${name.replace('-', '')}_${transactional ? 'tx' : 'control'}`
  const observer = await KILL_STORES[engine.store]?.observe(scope, services)
  const engineObserver = await engine.observe(scope, services)
  if (!observer) throw new Error(`no store ${engine.store} in the proof`)
  try {
    const script = fileURLToPath(import.meta.url)
    const lane = { engine: name, scope, services, secret: SECRET, transactional, script, killsPerPoint }
    const result = await runLane({ ...lane, observer, engineObserver })
    const right = isRight(result)
    const { deliveries, kills, lost, doubled, unanswered, poison } = result
    const title = transactional ? name : `${name} without transaction (control, must double)`
    console.log(
      `${title}: ${kills} kills over ${deliveries} deliveries: ${lost} lost, ${doubled} doubled, ${unanswered} never answered 200; ` +
        `poison: ${poison['accepted'] ?? 0} accepted, ${poison['failed'] ?? 0} failed, ${poison['quarantined'] ?? 0} set aside; ` +
        `${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${right ? 'as expected' : 'FAILED'}`,
    )
    return right
  } finally {
    await observer.remove()
    await engineObserver.remove()
  }
}
