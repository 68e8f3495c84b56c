/**
 * Measures sqliteStore and sqliteInbox under load, without HTTP: a burst of deliveries, the throughput with 64 callers next to one
 * `INSERT … ON CONFLICT` per delivery, and a lone delivery. Run: `node scripts/run-ts.mjs bench/stores/sqlite-load.ts`.
 *
 * Options: `--deliveries N` (10,000), `--callers N` (4,000, in the burst), `--rounds N` (9, of the throughput), `--folder PATH` (of the
 * files; the system's temporary folder).
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sqliteInbox } from '../../src/inboxes/sqlite/sqlite-inbox.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'
import { median, type Ratio, ratioOf } from '../measure.js'
import { printHead, ratioText } from '../report.js'

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '9' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const DAY_MS = 24 * 60 * 60 * 1000
const PER_ROUND = 2000
const LONE_DELIVERIES = 1000
const folder = mkdtempSync(join(values.folder, 'govalid-load-'))
const open = (name: string) => new DatabaseSync(join(folder, `${name}.db`))

type Process = (key: string) => unknown

try {
  printHead('sqliteStore and sqliteInbox under load')
  const processes = {
    'by hand': byHand(open('hand')),
    sqliteStore: withStore(open('store')),
    sqliteInbox: withInbox(open('inbox')),
  }
  for (const [name, process] of Object.entries(processes).slice(1)) await measureBurst(name, process)
  await measureThroughput(processes)
  await measureLone(processes)
} finally {
  rmSync(folder, { recursive: true })
}

/** Inserts a row for each delivery, with the durability of the store. */
function byHand(database: DatabaseSync): Process {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE seen (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID')
  const insert = database.prepare('INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING')
  return (key) => insert.run(key, Date.now())
}

/** Claims and completes each delivery, as the receiver does. */
function withStore(database: DatabaseSync): Process {
  const { claim, complete } = sqliteStore({ database })
  return async (key) => {
    const [token, retainUntil] = [randomUUID(), Date.now() + DAY_MS]
    const result = await claim({ key, token, retainUntil, leaseMs: 55_000, attemptGapMs: 30_000, waitMs: 4400 })
    if (result.status !== 'claimed') throw new Error(`Expected a claim, got ${result.status}.`)
    if (!(await complete({ key, token, retainUntil, waitMs: 4500 }))) throw new Error('The completion was refused.')
  }
}

/** Accepts each delivery. */
function withInbox(database: DatabaseSync): Process {
  const inbox = sqliteInbox({ database })
  return (key) => inbox.accept({ key, rawBody: new Uint8Array(300), headers: {}, receivedAt: Date.now() })
}

async function measureBurst(name: string, process: Process): Promise<void> {
  const [deliveries, callers] = [Number(values.deliveries), Number(values.callers)]
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const { seconds, errors } = await runMany(deliveries, callers, process)
  delay.disable()
  const block = `longest block of the event loop ${(delay.max / 1e6).toFixed(0)} ms`
  console.log(
    `\n${name}: ${deliveries - errors.length} of ${deliveries} deliveries of a burst with ${callers} callers in ${seconds.toFixed(2)} s, ${block}`,
  )
  if (errors.length > 0) console.log(`first error: ${String(errors[0])}`)
}

async function measureThroughput(processes: Readonly<Record<string, Process>>): Promise<void> {
  const figures = new Map(
    Object.keys(processes).map((name) => [name, { perRound: [] as number[], cpu: [] as number[] }]),
  )
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const [name, process] of Object.entries(processes)) {
      const { seconds, errors, cpuMicros } = await runMany(PER_ROUND, 64, process)
      if (errors.length > 0) throw errors[0]
      if (round < 0) continue
      figures.get(name)?.perRound.push((seconds * 1e6) / PER_ROUND)
      figures.get(name)?.cpu.push(cpuMicros / PER_ROUND)
    }
  }
  console.log('\n64 callers:\n\n| | per second | × by hand | CPU per delivery |\n| --- | --- | --- | --- |')
  const hand = { name: 'by hand', perRound: figures.get('by hand')?.perRound ?? [] }
  for (const [name, { perRound, cpu }] of figures) {
    const { median: middle, from, to } = ratioOf({ name, perRound }, hand)
    const faster: Ratio = { median: 1 / middle, from: 1 / to, to: 1 / from }
    console.log(
      `| ${name} | ${Math.round(1e6 / median(perRound))} | ${ratioText(faster)} | ${median(cpu).toFixed(0)} µs |`,
    )
  }
}

/** Measures deliveries that arrive alone, each in its own event-loop turn, in turns with the other subjects. */
async function measureLone(processes: Readonly<Record<string, Process>>): Promise<void> {
  const micros = new Map(Object.keys(processes).map((name) => [name, [] as number[]]))
  for (let index = 0; index < LONE_DELIVERIES; index++) {
    for (const [name, process] of Object.entries(processes)) {
      await nextTurn()
      const startedAt = performance.now()
      await process(newKey())
      micros.get(name)?.push((performance.now() - startedAt) * 1000)
    }
  }
  console.log('\nA lone delivery:\n')
  for (const [name, all] of micros) console.log(`- ${name}: ${median(all).toFixed(0)} µs`)
}

/** Processes `count` deliveries with at most `callers` at once. */
async function runMany(count: number, callers: number, process: Process) {
  const errors: unknown[] = []
  let started = 0
  const call = async () => {
    while (started++ < count) {
      // Each request of a server arrives in its own callback of the event loop.
      await nextTurn()
      await (async () => process(newKey()))().catch((error: unknown) => errors.push(error))
    }
  }
  const before = globalThis.process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: callers }, call))
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = globalThis.process.cpuUsage(before)
  return { seconds, errors, cpuMicros: user + system }
}

function newKey(): string {
  return randomBytes(32).toString('hex')
}
