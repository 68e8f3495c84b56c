/**
 * Measures postgresStore under load, without HTTP: a burst of deliveries, and the throughput with 64 callers next to one
 * `INSERT … ON CONFLICT` per delivery. Needs Postgres. Run: `node scripts/run-ts.mjs bench/stores/postgres-load.ts`.
 *
 * Options: `--deliveries N` (10,000), `--callers N` (4,000, in the burst), `--rounds N` (7, of the throughput).
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { Pool } from 'pg'
import { findServices } from '../../scripts/services.mjs'
import type { Store } from '../../src/index.js'
import { postgresStore } from '../../src/stores/postgres/postgres-store.js'

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '7' },
  },
})
const { postgres } = await findServices()
if (!postgres) throw new Error('Postgres was not found. Set DATABASE_URL, or install it.')
const pool = new Pool({ connectionString: postgres.url })
const schema = `govalid_load_${randomBytes(4).toString('hex')}`
const store = postgresStore({ pool, table: `${schema}.deliveries` })
try {
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(
    `CREATE TABLE ${schema}.bare (key bytea PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now())`,
  )
  await processDelivery(store, newKey())
  await measureBurst(Number(values.deliveries), Number(values.callers))
  await measureThroughput(Number(values.rounds))
  await measureSingle()
} finally {
  await pool.query(`DROP SCHEMA ${schema} CASCADE`)
  await pool.end()
  await postgres.stop()
}

/** Claims and completes a delivery, as the receiver does. */
async function processDelivery({ claim, complete }: Pick<Store, 'claim' | 'complete'>, key: string): Promise<void> {
  const [token, retainUntil] = [randomUUID(), Date.now() + 86_400_000]
  const result = await claim({ key, token, retainUntil, leaseMs: 55_000, attemptGapMs: 30_000, waitMs: 4_400 })
  if (result.status !== 'claimed') throw new Error(`expected a claim, got ${result.status}`)
  if (!(await complete({ key, token, retainUntil, waitMs: 4_500 }))) throw new Error('the completion was refused')
}

async function measureBurst(deliveries: number, callers: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startedAt = performance.now()
  const results = await runMany(deliveries, callers, () => processDelivery(store, newKey()))
  const seconds = (performance.now() - startedAt) / 1000
  delay.disable()
  const failed = results.filter((result) => result !== undefined)
  console.log(
    `burst: ${deliveries} deliveries, ${callers} callers: ${deliveries - failed.length} succeeded in ${seconds.toFixed(2)} s`,
  )
  console.log(`  longest block of the event loop: ${(delay.max / 1e6).toFixed(0)} ms`)
  if (failed.length > 0) console.log(`  first failure: ${JSON.stringify(failed[0])}`)
}

async function measureThroughput(rounds: number): Promise<void> {
  const sql = `INSERT INTO ${schema}.bare (key) VALUES (decode($1, 'hex')) ON CONFLICT DO NOTHING`
  const byHand = (key: string) => pool.query({ name: 'bare', text: sql, values: [key] })
  const subjects = { 'by hand': byHand, postgresStore: (key: string) => processDelivery(store, key) }
  const ratios: number[] = []
  const cpu: Record<string, number[]> = { 'by hand': [], postgresStore: [] }
  for (let round = -1; round < rounds; round++) {
    const rates: Record<string, number> = {}
    for (const [name, run] of Object.entries(subjects)) {
      const before = process.cpuUsage()
      const startedAt = performance.now()
      const failed = (await runMany(3_000, 64, () => run(newKey()))).filter(Boolean)
      if (failed.length > 0) throw failed[0]
      rates[name] = 3_000 / ((performance.now() - startedAt) / 1000)
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) cpu[name]?.push((user + system) / 3_000)
    }
    if (round >= 0) ratios.push((rates['postgresStore'] ?? 0) / (rates['by hand'] ?? 1))
    console.log(
      `round ${round}: ${Object.entries(rates)
        .map(([name, rate]) => `${name} ${rate.toFixed(0)}/s`)
        .join(', ')}`,
    )
  }
  console.log(`64 callers: postgresStore reaches ${median(ratios).toFixed(2)} × by hand`)
  for (const [name, micros] of Object.entries(cpu)) console.log(`  CPU of ${name}: ${median(micros).toFixed(0)} µs`)
}

async function measureSingle(): Promise<void> {
  const micros: number[] = []
  const bare: number[] = []
  for (let index = 0; index < 400; index++) {
    bare.push(
      await timed(() =>
        pool.query({
          name: 'bare',
          text: `INSERT INTO ${schema}.bare (key) VALUES (decode($1, 'hex')) ON CONFLICT DO NOTHING`,
          values: [newKey()],
        }),
      ),
    )
    micros.push(
      await timed(() =>
        store.claim({
          key: newKey(),
          token: randomUUID(),
          retainUntil: Date.now() + 86_400_000,
          leaseMs: 55_000,
          attemptGapMs: 30_000,
        }),
      ),
    )
  }
  console.log(
    `one claim alone: ${median(micros).toFixed(0)} µs, a bare INSERT ${median(bare).toFixed(0)} µs: ${(median(micros) / median(bare)).toFixed(2)} ×`,
  )
}

/** Calls `run` `count` times with at most `callers` calls at once. Returns the errors. */
async function runMany(count: number, callers: number, run: () => Promise<unknown>): Promise<unknown[]> {
  let started = 0
  const errors: unknown[] = []
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (started++ < count) await run().catch((error: unknown) => errors.push(error))
    }),
  )
  return errors
}

async function timed(run: () => unknown): Promise<number> {
  const startedAt = performance.now()
  await run()
  return (performance.now() - startedAt) * 1000
}

function newKey(): string {
  return randomBytes(32).toString('hex')
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0
}
