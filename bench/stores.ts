/**
 * `npm run bench -- stores`: compares the elapsed time of each store operation with a bare command of the same client, and counts round trips
 * with a proxy. Needs Redis and Postgres; `node scripts/services.mjs` prints which ones it finds.
 *
 * Options: `--rounds N` (41), `--batch N` (50 operations per round), `--only TEXT` (only stores with this text in their name).
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findServices } from '../scripts/services.mjs'
import { type Figure, measure, type Subject } from './measure.js'
import { compareRow, printHead, printRows, type Row } from './report.js'
import {
  type BareStore,
  betterSqliteRival,
  ioredisRival,
  nodeRedisRival,
  nodeSqliteRival,
  postgresRival,
  type Rival,
} from './stores/rivals.js'
import { countTrips, type TripCounter } from './stores/trips.js'

/** The token and retention of a claim and its completion. Both use the same retention, as in the receiver. */
interface Claim {
  readonly token: string
  readonly retainUntil: number
}

/** Keys in each state that an operation can find. */
interface Item {
  readonly first: Claim
  readonly second: Claim
  readonly fresh: string
  readonly claimed: string
  readonly done: string
}

type Open = (url: string, scope: string) => Promise<Rival>

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '41' },
    batch: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
  },
})
const DAY = 24 * 60 * 60 * 1000
const MAX_RATIO = 1.15
const newKey = () => randomBytes(32).toString('hex')
const newClaim = (): Claim => ({ token: randomUUID(), retainUntil: Date.now() + DAY })
const folder = mkdtempSync(join(tmpdir(), 'govalid-bench-'))
const services = await findServices()
const rows: Row[] = []
try {
  printHead('Stores compared with bare commands')
  for (const open of [nodeSqliteRival, betterSqliteRival]) await measureAndEnd(open(folder))
  if (services.redis)
    for (const open of [nodeRedisRival, ioredisRival]) await measureService(open, services.redis.url, 6379)
  else console.log('\nRedis was not found, so it is skipped.')
  if (services.postgres) await measureService(postgresRival, services.postgres.url, 5432)
  else console.log('\nPostgres was not found, so it is skipped.')
  printRows('One operation after another; elapsed time of each', rows)
} finally {
  await Promise.all([services.postgres?.stop(), services.redis?.stop()])
  rmSync(folder, { recursive: true })
}

async function measureService(open: Open, url: string, defaultPort: number): Promise<void> {
  const scope = () => `govalid_bench_${randomBytes(4).toString('hex')}`
  const rival = await open(url, scope())
  await measureAndEnd(rival)
  if (!rows.at(-1)?.what.includes(rival.name)) return
  const counter = await countTrips(url, defaultPort)
  const counted = await open(counter.url, scope())
  await countSteps(counted, counter)
  await counted.end()
  counter.close()
}

async function measureAndEnd(rival: Rival): Promise<void> {
  const { name, store, write, read } = rival
  if (!name.includes(values.only)) return rival.end()
  const subjects: readonly Subject<Item>[] = [
    steps('insert', ({ fresh }) => rival.insert(fresh)),
    steps('claim', ({ fresh, first }) => claim(store, fresh, first)),
    steps('update', ({ done }) => rival.update(done)),
    steps('complete', ({ claimed, first }) => complete(store, claimed, first)),
    steps('find', ({ done }) => rival.find(done)),
    steps('duplicate', ({ done, second }) => claim(store, done, second)),
  ]
  const options = { batch: Number(values.batch), rounds: Number(values.rounds), time: 'wall' } as const
  const figures = await measure(subjects, { ...options, createBatch: (count) => prepare(rival, count) })
  const of = (figure: string) => figures.get(figure) as Figure
  rows.push(
    compareRow(`${name}: \`claim\` of a new key, compared with ${write}`, of('claim'), of('insert'), MAX_RATIO),
    compareRow(`${name}: \`complete\`, compared with ${write}`, of('complete'), of('update')),
    compareRow(`${name}: \`claim\` of a finished key, compared with ${read}`, of('duplicate'), of('find'), MAX_RATIO),
  )
  await rival.end()
}

function steps(name: string, step: (item: Item) => unknown): Subject<Item> {
  return {
    name,
    async run(batch) {
      for (const item of batch) await step(item)
    },
  }
}

async function prepare({ store, insert }: Rival, count: number): Promise<readonly Item[]> {
  const items: Item[] = []
  for (let index = 0; index < count; index++) {
    const item = { first: newClaim(), second: newClaim(), fresh: newKey(), claimed: newKey(), done: newKey() }
    await claim(store, item.claimed, item.first)
    await claim(store, item.done, item.first)
    await complete(store, item.done, item.first)
    await insert(item.done)
    items.push(item)
  }
  return items
}

async function countSteps({ name, store }: Rival, counter: TripCounter): Promise<void> {
  // The first operations connect, create tables and delete expired records (every 100 completions or 60 s, in the background).
  const first = { key: newKey(), with: newClaim() }
  await claim(store, first.key, first.with)
  await complete(store, first.key, first.with)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const counted = 90
  const keys = Array.from({ length: counted }, () => ({ key: newKey(), with: newClaim() }))
  const trips = async (step: (key: string, request: Claim) => unknown) => {
    counter.take()
    for (const item of keys) await step(item.key, item.with)
    return counter.take()
  }
  const found = {
    'claims of new keys': await trips((key, request) => claim(store, key, request)),
    completions: await trips((key, request) => complete(store, key, request)),
    'claims of finished keys': await trips((key, request) => claim(store, key, request)),
  }
  for (const [what, count] of Object.entries(found)) {
    const ours = `${count} round trips`
    rows.push({
      what: `${name}: ${counted} ${what}`,
      ours,
      floor: `${counted}`,
      aim: 'one each',
      reached: count === counted,
    })
  }
}

function claim(store: BareStore, key: string, { token, retainUntil }: Claim): unknown {
  return store.claim({ key, token, leaseMs: 55_000, retainUntil, attemptGapMs: 30_000 })
}

function complete(store: BareStore, key: string, { token, retainUntil }: Claim): unknown {
  return store.complete({ key, token, retainUntil })
}
