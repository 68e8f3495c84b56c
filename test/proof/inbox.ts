/**
 * `npm run proof -- inbox`: kills a real process that accepts and processes with SIGKILL at each point, over each inbox on its real engine.
 * A delivery that got 200 is processed once: none is lost, and none is doubled with a transactional store. The control without the
 * transaction must double some. A delivery whose handler always fails is quarantined after twenty attempts. Exits with 1 if a result differs.
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

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      inbox: { type: 'string', multiple: true, default: Object.keys(ENGINES) },
      kills: { type: 'string', default: '5' },
    },
  })
  const found = await findServices()
  const services = { postgres: found.postgres?.url ?? '', redis: found.redis?.url ?? '' }
  let isKept = true
  try {
    for (const name of values.inbox) isKept = (await proveInbox(name, Number(values.kills), services)) && isKept
  } finally {
    await Promise.all([found.postgres?.stop(), found.redis?.stop()])
  }
  return isKept ? 0 : 1
}

async function proveInbox(name: string, kills: number, services: Services): Promise<boolean> {
  const engine = ENGINES[name]
  if (!engine) throw new Error(`no inbox ${name}; there are ${Object.keys(ENGINES).join(', ')}`)
  if (engine.needs && services[engine.needs] === '') {
    console.log(`${name}: skipped, because ${engine.needs} was not found and could not be started`)
    return process.env['REQUIRE_SERVICES'] !== '1'
  }
  const isKept = await run(name, kills, services, true, ({ lost, doubled, unanswered, poison }) => {
    const isQuarantined = poison['failed'] === MAX_ATTEMPTS - 1 && poison['quarantined'] === 1
    return lost === 0 && doubled === 0 && unanswered === 0 && isQuarantined
  })
  const isCaught = await run(name, kills, services, false, ({ lost, doubled }) => lost === 0 && doubled > 0)
  return isKept && isCaught
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
  if (!observer) throw new Error(`the proof has no store ${engine.store}`)
  try {
    const script = fileURLToPath(import.meta.url)
    const lane = { engine: name, scope, services, secret: SECRET, transactional, script, killsPerPoint }
    const result = await runLane({ ...lane, observer, engineObserver })
    const isAsExpected = isRight(result)
    const { deliveries, kills, lost, doubled, quarantined, unanswered, poison } = result
    const title = transactional ? name : `${name} without transaction (control, must double)`
    console.log(
      `${title}: ${kills} kills over ${deliveries} deliveries: ${lost} lost, ${doubled} doubled, ${unanswered} never got 200, ` +
        `${quarantined} quarantined after twenty deaths; ` +
        `poison: ${poison['accepted'] ?? 0} accepted, ${poison['failed'] ?? 0} failed, ${poison['quarantined'] ?? 0} quarantined; ` +
        `${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${isAsExpected ? 'as expected' : 'FAILED'}`,
    )
    return isAsExpected
  } finally {
    await observer.remove()
    await engineObserver.remove()
  }
}
