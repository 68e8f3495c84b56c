/**
 * `npm run bench:stores`: what a step of each store costs beside a bare command of the very same client, in time that somebody waits; and how
 * many round trips it is, counted by a proxy in between. Needs Redis and Postgres: `node scripts/services.mjs` says where they are looked for.
 *
 * Options: `--rounds N` (41), `--batch N` (50 steps a round), `--only TEXT` (the stores with this in their name).
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
  ioredisRival,
  nodeRedisRival,
  postgresRival,
  type Rival,
  sqliteRivals,
} from './stores/rivals.js'
import { countTrips, type TripCounter } from './stores/trips.js'

/** What a delivery is claimed and completed with: the same retention, as the receiver has it. */
interface Claim {
  readonly token: string
  readonly retainUntil: number
}

/** Keys in each state that a step can meet. */
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
const AT_MOST = 1.15
const newKey = () => randomBytes(32).toString('hex')
const newClaim = (): Claim => ({ token: randomUUID(), retainUntil: Date.now() + DAY })
const folder = mkdtempSync(join(tmpdir(), 'govalid-bench-'))
const services = await findServices()
const rows: Row[] = []
try {
  printHead('Stores beside bare commands')
  for (const rival of sqliteRivals(folder)) await measureAndEnd(rival)
  if (services.redis)
    for (const open of [nodeRedisRival, ioredisRival]) await measureService(open, services.redis.url, 6379)
  else console.log('\nRedis is not there, and so not measured.')
  if (services.postgres) await measureService(postgresRival, services.postgres.url, 5432)
  else console.log('\nPostgres is not there, and so not measured.')
  printRows('One step after the other; time waited for each', rows)
} finally {
  await Promise.all([services.postgres?.stop(), services.redis?.stop()])
  rmSync(folder, { recursive: true })
}

async function measureService(open: Open, url: string, usualPort: number): Promise<void> {
  const scope = () => `govalid_bench_${randomBytes(4).toString('hex')}`
  const rival = await open(url, scope())
  await measureAndEnd(rival)
  if (!rows.at(-1)?.what.includes(rival.name)) return
  const counter = await countTrips(url, usualPort)
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
  const figures = await measure(subjects, { ...options, makeBatch: (count) => prepare(rival, count) })
  const of = (figure: string) => figures.get(figure) as Figure
  rows.push(
    compareRow(`${name}: \`claim\` of a new key beside ${write}`, of('claim'), of('insert'), AT_MOST),
    compareRow(`${name}: \`complete\` beside ${write}`, of('complete'), of('update')),
    compareRow(`${name}: \`claim\` of a finished key beside ${read}`, of('duplicate'), of('find'), AT_MOST),
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
  // The first steps connect, make what is missing, and clear away what is over: that is done every 100 completions or 60 s, behind the answer.
  const first = { key: newKey(), with: newClaim() }
  await claim(store, first.key, first.with)
  await complete(store, first.key, first.with)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const counted = 90
  const keys = Array.from({ length: counted }, () => ({ key: newKey(), with: newClaim() }))
  const trips = async (step: (key: string, asked: Claim) => unknown) => {
    counter.take()
    for (const item of keys) await step(item.key, item.with)
    return counter.take()
  }
  const found = {
    'claims of new keys': await trips((key, asked) => claim(store, key, asked)),
    completions: await trips((key, asked) => complete(store, key, asked)),
    'claims of finished keys': await trips((key, asked) => claim(store, key, asked)),
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
