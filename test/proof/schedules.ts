/**
 * `npm run proof -- schedules`: runs the core under random orders of arriving copies, store calls and results, handler ends and time; and each
 * store, with calls in sequence and in parallel, against a model of the contract. Exits with 1 if a result differs, and prints the
 * counterexample with the values that repeat it.
 *
 * Options: `--core N`, `--memory N`, `--shared N` for SQLite and Redis, `--postgres N` (100,000 each; Postgres takes ten minutes), `--lossy N` for
 * Redis and Postgres behind a network that loses responses (10,000 each), `--part NAME` (repeatable: core, memory, sqlite, redis, postgres,
 * redis-lossy, postgres-lossy; all), `--seed N` (any), `--record`.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { findServices } from '../../scripts/services.mjs'
import { type ResultRow, reportResult, row } from './record.js'
import { CORE_SCRIPTS, playCore } from './schedules/core.js'
import { type OpenedStore, openLossy, openMemory, openPostgres, openRedis, openSqlite } from './schedules/opened.js'
import { explainable } from './schedules/stores.js'

process.exitCode = await prove()

interface Found {
  readonly name: string
  readonly schedules: number
  readonly calls: number
  /** The number of lost responses, if the network loses some. */
  readonly lost?: number | undefined
  readonly fault: string | undefined
}

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      core: { type: 'string', default: '100000' },
      memory: { type: 'string', default: '100000' },
      shared: { type: 'string', default: '100000' },
      postgres: { type: 'string', default: '100000' },
      lossy: { type: 'string', default: '10000' },
      part: {
        type: 'string',
        multiple: true,
        default: ['core', 'memory', 'sqlite', 'redis', 'postgres', 'redis-lossy', 'postgres-lossy'],
      },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      record: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed)
  const { core, memory, shared, postgres: inPostgres, lossy } = values
  const schedules: Readonly<Record<string, number>> = {
    core: Number(core),
    memory: Number(memory),
    sqlite: Number(shared),
    redis: Number(shared),
    postgres: Number(inPostgres),
    'redis-lossy': Number(lossy),
    'postgres-lossy': Number(lossy),
  }
  console.log(`seed ${seed}`)
  const { postgres, redis } = await findServices()
  const openers: Readonly<Record<string, (() => OpenedStore | Promise<OpenedStore>) | undefined>> = {
    memory: openMemory,
    sqlite: openSqlite,
    redis: redis && (() => openRedis(redis.url)),
    postgres: postgres && (() => openPostgres(postgres.url)),
    'redis-lossy': redis && (() => openLossy(openRedis, redis.url)),
    'postgres-lossy': postgres && (() => openLossy(openPostgres, postgres.url)),
  }
  let isRight = true
  let isSkipped = false
  try {
    for (const part of values.part) {
      const startedAt = performance.now()
      const open = openers[part]
      const count = schedules[part] as number
      const proving = part === 'core' ? proveCore(seed, count) : open && proveStore(part, open, seed, count)
      if (proving) {
        const found = await proving
        isRight &&= found.fault === undefined
        // Each part has its own result, because some parts take ten minutes and are run separately.
        reportResult(
          `schedules, ${part}`,
          { seed, columns: [found.name], rows: rowsOf(found), startedAt },
          values.record,
        )
      } else if (part in openers) {
        console.log(`${part}: skipped, because the service was not found and could not be started`)
        isSkipped = true
      } else throw new Error(`no part ${part}`)
    }
  } finally {
    await Promise.all([postgres?.stop(), redis?.stop()])
  }
  return isRight && !(isSkipped && process.env['REQUIRE_SERVICES'] === '1') ? 0 : 1
}

function rowsOf({ schedules, calls, lost, fault }: Found): readonly ResultRow[] {
  return [
    row('schedules', schedules),
    row('store calls', calls),
    ...(lost === undefined ? [] : [row('lost responses', lost)]),
    row('schedules with a fault', fault === undefined ? 0 : 'FAILED'),
  ]
}

async function proveCore(seed: number, schedules: number): Promise<Found> {
  let calls = 0
  const property = fc.asyncProperty(fc.scheduler(), CORE_SCRIPTS, async (scheduler, script) => {
    calls += await playCore(scheduler, script)
  })
  const fault = await check('core', property, { seed, numRuns: schedules })
  return { name: 'the core', schedules, calls, fault }
}

async function proveStore(
  name: string,
  open: () => OpenedStore | Promise<OpenedStore>,
  seed: number,
  schedules: number,
): Promise<Found> {
  const store = await open()
  let calls = 0
  const property = explainable(store, (count) => {
    calls += count
  })
  const { keysAtOnce } = store
  const runs = Math.ceil(schedules / keysAtOnce)
  // Where responses are lost, another run loses other responses, so reducing a failure makes no sense.
  const fault = await check(name, property, {
    seed,
    numRuns: runs,
    endOnFailure: store.losesResponses ?? false,
  }).finally(() => store.close())
  return { name, schedules: runs * keysAtOnce, calls, lost: store.lost?.(), fault }
}

async function check<Given>(
  name: string,
  property: fc.IAsyncProperty<Given>,
  parameters: fc.Parameters<Given>,
): Promise<string | undefined> {
  const startedAt = performance.now()
  const result = await fc.check(property, parameters)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${name}: ${result.numRuns.toLocaleString('en')} runs in ${seconds} s`)
  if (!result.failed) return undefined
  const fault = `${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}`
  console.error(`FAULT ${name}: ${fault}`)
  return fault
}
