/**
 * `npm run proof -- concurrent`: 1,000 simultaneous copies of one delivery over four processes call one handler once, for each shared store.
 * A control store that reads before it writes must be caught. Exits with 1 if a result differs.
 *
 * Options: `--store NAME` (repeatable; all), `--rounds N` (100), `--copies N` (1,000), `--processes N` (4).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { signDelivery } from '../../src/testing/index.js'
import { type Findings, type Setup, type Share, serveProcess } from './concurrent/process.js'
import { PROOF_STORES, type ProofStore, type Services } from './concurrent/stores.js'

const { values } = parseArgs({
  options: {
    store: { type: 'string', multiple: true, default: Object.keys(PROOF_STORES) },
    rounds: { type: 'string', default: '100' },
    copies: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '4' },
  },
  strict: process.argv[2] !== 'process',
})
type ServicesModule = typeof import('../../scripts/services.mjs')

const ROLE = 'process'
const SECRET = 'your_webhook_secret'
/** Statuses that get 200 or 503. */
const RESPONSES = ['processed', 'duplicate', 'busy', 'unfinished', 'unavailable']

if (process.argv[2] === ROLE) await serveProcess(JSON.parse(process.argv[3] ?? '{}') as Setup)
else process.exitCode = await prove()

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const chosen = (values.store as string[]).map((name) => ({ name, store: PROOF_STORES[name] }))
  const { services, stop } = await startServices(chosen.some(({ store }) => store?.needs !== undefined))
  let hasFailed = false
  try {
    for (const { name, store } of chosen) {
      if (!store) throw new Error(`no store ${name}; there are ${Object.keys(PROOF_STORES).join(', ')}`)
      const kept = await proveStore(name, store, services)
      hasFailed ||= !kept
    }
  } finally {
    await stop()
  }
  return hasFailed ? 1 : 0
}

async function startServices(isNeeded: boolean): Promise<{ services: Services; stop(): Promise<unknown> }> {
  if (!isNeeded) return { services: { postgres: '', redis: '' }, stop: async () => {} }
  // Imported at run time, because that file has its own command line and must not be bundled.
  const { findServices } = (await import(pathToFileURL(resolve('scripts/services.mjs')).href)) as ServicesModule
  const { postgres, redis } = await findServices()
  return {
    services: { postgres: postgres?.url ?? '', redis: redis?.url ?? '' },
    stop: () => Promise.all([postgres?.stop(), redis?.stop()]),
  }
}

/** Whether a store passed, or, as the control, was caught. */
async function proveStore(name: string, store: ProofStore, services: Services): Promise<boolean> {
  if (store.needs && services[store.needs] === '') {
    console.log(`${name}: skipped, because ${store.needs} was not found and could not be started`)
    return process.env['REQUIRE_SERVICES'] !== '1'
  }
  const scope = `govalid_proof_${randomBytes(6).toString('hex')}`
  const startedAt = Date.now()
  const processes = await startProcesses({ store: name, scope, services, secret: SECRET })
  try {
    const rounds: Round[] = []
    for (let round = 0; round < Number(values.rounds); round++) rounds.push(await runRound(processes))
    const wrong = rounds.filter(({ isRight }) => !isRight)
    const responses = Object.entries(add(rounds.map(({ statuses }) => statuses)))
    const calls = rounds.reduce((sum, round) => sum + round.calls, 0)
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
    const kept = store.control ? wrong.length > 0 : wrong.length === 0
    console.log(
      `${name}${store.control ? ' (control, must be caught)' : ''}: ${rounds.length} rounds of ${values.copies} copies at once over ` +
        `${values.processes} processes: ${calls} handler calls, ${wrong.length} rounds wrong; ` +
        `responses: ${responses.map(([status, count]) => `${status} ${count}`).join(', ')}; ${seconds} s: ${kept ? 'as expected' : 'FAILED'}`,
    )
    return kept
  } finally {
    await Promise.all(processes.map(endProcess))
    await store.remove(scope, services)
  }
}

interface Round extends Findings {
  /** The handler ran once, every response was 200 or 503, and a later copy was a duplicate without another run. */
  readonly isRight: boolean
}

async function runRound(processes: readonly ChildProcess[]): Promise<Round> {
  const payload = {
    event: 'qr.scanned',
    timestamp: new Date().toISOString(),
    nonce: randomBytes(8).toString('hex'),
    data: {},
  }
  const { rawBody, signature } = await signDelivery(payload, { secret: SECRET })
  const body = new TextDecoder().decode(rawBody)
  const copies = Number(values.copies) / processes.length
  const findings = await Promise.all(processes.map((each) => ask(each, { body, signature, copies })))
  const statuses = add(findings.map((each) => each.statuses))
  const [first] = processes as [ChildProcess]
  const { isDuplicate, calls: late } = await untilDuplicate((count) => ask(first, { body, signature, copies: count }))
  const calls = findings.reduce((sum, each) => sum + each.calls, late)
  const isKnown = Object.keys(statuses).every((status) => RESPONSES.includes(status))
  return { calls, statuses, isRight: calls === 1 && isKnown && isDuplicate }
}

/** Sends copies one after another until one is a duplicate, because a completion may still be on its way to the store. */
async function untilDuplicate(
  send: (copies: number) => Promise<Findings>,
): Promise<{ isDuplicate: boolean; calls: number }> {
  let calls = 0
  for (let pause = 10; pause < 10_000; pause *= 2) {
    const found = await send(1)
    calls += found.calls
    if (found.statuses['duplicate'] === 1) return { isDuplicate: true, calls }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  return { isDuplicate: false, calls }
}

async function startProcesses(setup: Setup): Promise<ChildProcess[]> {
  return Promise.all(
    Array.from({ length: Number(values.processes) }, async () => {
      const child = fork(fileURLToPath(import.meta.url), [ROLE, JSON.stringify(setup)])
      await nextMessage(child)
      return child
    }),
  )
}

async function ask(child: ChildProcess, share: Share): Promise<Findings> {
  child.send(share)
  return (await nextMessage(child)) as Findings
}

/** Resolves to the next message of a process. Rejects if the process exits first. */
function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (code: number | null) => reject(new Error(`a process exited with ${code}`))
    child.once('exit', end)
    child.once('message', (message) => {
      child.off('exit', end)
      resolve(message)
    })
  })
}

async function endProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.send('end')
  await exited
}

function add(counts: readonly Findings['statuses'][]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const each of counts) {
    for (const [status, count] of Object.entries(each)) total[status] = (total[status] ?? 0) + count
  }
  return total
}
