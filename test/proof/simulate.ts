/**
 * `npm run proof -- simulate`: runs the real core on virtual time under every fault, for many seeds; then the first seed again, and the wrong
 * policies, each of which the checker must catch. Exits with 1 if a result differs.
 *
 * Options: `--seeds N` (100), `--inbox-seeds N` of them with an inbox too (10), `--events N` per seed (100,000), `--first N` (1),
 * `--policy-events N` (20,000), `--record` to write the result into docs/contributing/proofs.md.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type ResultRow, reportResult, row } from './record.js'
import { BAD_INBOX_POLICIES, BAD_POLICIES, type Policy, REAL_RULES } from './simulate/policies.js'
import {
  CRASHES_WITHOUT_TRANSACTION,
  EVERYTHING,
  INBOX_WITHOUT_TRANSACTION,
  type Scenario,
  WITH_INBOX,
  WITHOUT_TRANSACTION,
} from './simulate/scenario.js'
import { type Findings, simulate } from './simulate/simulate.js'

interface Job {
  readonly seed: number
  readonly events: number
  readonly scenario: string
  readonly policy: string
}

const SCENARIOS: readonly Scenario[] = [
  EVERYTHING,
  WITHOUT_TRANSACTION,
  CRASHES_WITHOUT_TRANSACTION,
  WITH_INBOX,
  INBOX_WITHOUT_TRANSACTION,
]
const POLICIES: readonly Policy[] = [REAL_RULES, ...BAD_POLICIES, ...BAD_INBOX_POLICIES]

function run({ seed, events, scenario, policy }: Job): Promise<Findings> {
  const chosen = SCENARIOS.find(({ name }) => name === scenario)
  const rules = POLICIES.find(({ name }) => name === policy)
  if (!chosen || !rules) throw new Error(`no scenario ${scenario} or no policy ${policy}`)
  return simulate(seed, events, chosen, rules)
}

/** Runs the jobs on all CPU cores. Each worker takes the next job. */
async function runAll(jobs: readonly Job[], onDone: (job: Job, findings: Findings) => void): Promise<void> {
  const waiting = [...jobs]
  const runWorker = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: 'simulate' })
      let job: Job | undefined
      const next = () => {
        job = waiting.shift()
        if (job) worker.postMessage(job)
        else void worker.terminate().then(() => resolve())
      }
      worker.on('message', (findings: Findings) => {
        onDone(job as Job, findings)
        next()
      })
      worker.on('error', reject)
      next()
    })
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, runWorker))
}

function add(total: Findings, more: Findings): Findings {
  return {
    events: total.events + more.events,
    attempts: total.attempts + more.attempts,
    lost: total.lost + more.lost,
    unreached: total.unreached + more.unreached,
    doubled: total.doubled + more.doubled,
    wasted: total.wasted + more.wasted,
    disabled: total.disabled + more.disabled,
    kept: total.kept + more.kept,
    stale: total.stale + more.stale,
    trace: more.trace,
  }
}

const NOTHING: Findings = {
  events: 0,
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

function rowOf(name: string, found: Findings): ResultRow {
  const { events, attempts, lost, unreached, doubled, wasted, disabled, kept, stale } = found
  return row(name, events, attempts, lost, unreached, doubled, wasted, disabled, kept, stale)
}

const COLUMNS = [
  'events',
  'attempts',
  'lost',
  'never reached a process',
  'doubled',
  'wasted attempts',
  'disabled',
  'quarantined',
  'of these processed after all',
]

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      events: { type: 'string', default: '100000' },
      first: { type: 'string', default: '1' },
      'inbox-seeds': { type: 'string', default: '10' },
      'policy-events': { type: 'string', default: '20000' },
      record: { type: 'boolean' },
    },
  })
  const first = Number(values.first)
  const events = Number(values.events)
  const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => first + index)
  const faults: string[] = []
  const startedAt = performance.now()

  let real = NOTHING
  let withInbox = NOTHING
  let traceOfFirst = ''
  const jobsOf = ({ name }: Scenario, some: readonly number[]): Job[] =>
    some.map((seed) => ({ seed, events, scenario: name, policy: REAL_RULES.name }))
  const jobs = [...jobsOf(EVERYTHING, seeds), ...jobsOf(WITH_INBOX, seeds.slice(0, Number(values['inbox-seeds'])))]
  let done = 0
  await runAll(jobs, (job, found) => {
    done++
    const minutesSoFar = ((performance.now() - startedAt) / 60_000).toFixed(1)
    console.error(`${done} of ${jobs.length} seeds, ${minutesSoFar} minutes`)
    const isInbox = job.scenario === WITH_INBOX.name
    if (isInbox) withInbox = add(withInbox, found)
    else real = add(real, found)
    if (!isInbox && job.seed === first) traceOfFirst = found.trace
    const bad = found.lost + found.doubled + found.wasted
    if (bad > 0) faults.push(`seed ${job.seed} (${job.scenario}): ${JSON.stringify(found)}`)
  })
  const again = await run({ seed: first, events, scenario: EVERYTHING.name, policy: REAL_RULES.name })
  if (again.trace !== traceOfFirst) faults.push(`seed ${first} gave different traces: ${traceOfFirst}, ${again.trace}`)

  const rows: ResultRow[] = []
  const policyJobs: Job[] = [
    ...[REAL_RULES, ...BAD_POLICIES].map(({ name }) => ({ scenario: WITHOUT_TRANSACTION.name, policy: name })),
    ...[REAL_RULES, ...BAD_INBOX_POLICIES].map(({ name }) => ({
      scenario: INBOX_WITHOUT_TRANSACTION.name,
      policy: name,
    })),
    { scenario: CRASHES_WITHOUT_TRANSACTION.name, policy: REAL_RULES.name },
  ].map((job) => ({ ...job, seed: first, events: Number(values['policy-events']) }))
  await runAll(policyJobs, (job, found) => {
    rows.push(rowOf(`${job.policy} (${job.scenario})`, found))
    faults.push(...judgePolicy(job, found))
  })

  const reals = [rowOf(`${REAL_RULES.name} (${EVERYTHING.name})`, real)]
  if (withInbox.events > 0) reals.push(rowOf(`${REAL_RULES.name} (${WITH_INBOX.name})`, withInbox))
  reportResult(
    'simulate',
    {
      seed: `${first} to ${first + seeds.length - 1}`,
      columns: COLUMNS,
      rows: [...reals, ...rows.sort((a, b) => (a.what < b.what ? -1 : 1))],
      startedAt,
    },
    values.record,
  )
  if (again.trace === traceOfFirst) console.log(`seed ${first} gave the trace ${traceOfFirst} twice`)
  for (const fault of faults) console.error(`FAULT ${fault}`)
  console.log(faults.length === 0 ? 'as expected' : `${faults.length} faults`)
  return faults.length === 0 ? 0 : 1
}

function judgePolicy({ policy, scenario }: Job, found: Findings): readonly string[] {
  const rules = POLICIES.find(({ name }) => name === policy) as Policy
  if (rules.broken.length > 0) {
    const unseen = rules.broken.filter((what) => found[what] === 0)
    return unseen.map((what) => `the checker did not catch "${policy}": ${what} is 0`)
  }
  const clean = scenario === CRASHES_WITHOUT_TRANSACTION.name || found.lost + found.doubled + found.wasted === 0
  return clean ? [] : [`${policy} (${scenario}): ${JSON.stringify(found)}`]
}

if (isMainThread) process.exitCode = await main()
else if (workerData === 'simulate') {
  parentPort?.on('message', (job: Job) => void run(job).then((found) => parentPort?.postMessage(found)))
}
