/**
 * `npm run bench -- throughput`: measures deliveries per second and the server's CPU time per delivery on a fixed number of connections that
 * each wait for their response: Express and Fastify with every durable store and inbox, next to the same deduplication by hand and to no
 * store. Subjects take turns, and ratios compare the same round. Each server has its own process, and so has the sender. Needs about eight
 * minutes.
 *
 * Options: `--connections N` (repeatable; 1 and 64), `--deliveries N` (10,000 per round, or 1,000 on one connection), `--rounds N` (5), `--only TEXT`
 * (repeatable; only subjects with this text in their name; their ratios need the subjects to compare with), `--framework NAME` (only `Express` or
 * `Fastify`).
 */
import { parseArgs } from 'node:util'
import {
  assertOpenFiles,
  faultsOf,
  type LoadBench,
  type LoadResult,
  type LoadServer,
  playRole,
  withLoadBench,
} from './load/run-load.js'
import type { Framework } from './load/server.js'
import { SUBJECTS } from './load/subjects.js'
import { median, type Ratio, ratioOf, rotate } from './measure.js'
import { printHead, ratioText } from './report.js'

const MAX_CPU_RATIO = 1.1
const NO_STORE = 'no store'

/** A server and its results, one for each round. */
interface Measured {
  readonly server: LoadServer
  readonly results: LoadResult[]
  /** The servers that took turns with this one. */
  readonly group: readonly Measured[]
}

if (!(await playRole())) {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', multiple: true, default: ['1', '64'] },
      deliveries: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [''] },
      framework: { type: 'string' },
    },
  })
  const loads = values.connections.map((text) => {
    const connections = Number(text)
    return {
      connections,
      deliveries: Number(values.deliveries ?? (connections === 1 ? 1000 : 10_000)),
      connectsFirst: true,
    }
  })
  assertOpenFiles(Math.max(...loads.map(({ connections }) => connections)))
  printHead('Throughput')
  await withLoadBench(values.only, async (bench) => {
    const frameworks = (['Express', 'Fastify'] as const).filter((name) => name === (values.framework ?? name))
    for (const framework of frameworks) await measureFramework(bench, framework, loads, Number(values.rounds))
  })
}

interface Load {
  readonly connections: number
  readonly deliveries: number
  readonly connectsFirst: boolean
}

/**
 * Measures each store next to the same by hand and to no store, and then the next one. A process that idles for long would start its next
 * turn with cold caches.
 */
async function measureFramework(
  bench: LoadBench,
  framework: Framework,
  loads: readonly Load[],
  rounds: number,
): Promise<void> {
  const tables = loads.map((load) => ({ load, measured: [] as Measured[] }))
  const base = bench.subjects.filter((name) => name === NO_STORE)
  for (const group of groupsOf(bench.subjects)) {
    const servers: LoadServer[] = []
    try {
      for (const subject of [...base, ...group]) servers.push(await bench.start(framework, subject, false))
      for (const { load, measured } of tables) measured.push(...(await measureGroup(servers, load, rounds)))
    } finally {
      for (const server of servers) await server.end()
    }
  }
  for (const { load, measured } of tables) printTable(framework, load, measured)
}

/** A store with the same by hand, or an inbox. */
function groupsOf(subjects: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = []
  for (const name of subjects) {
    const group = groups.find((names) => names.includes(SUBJECTS[name]?.byHand ?? ''))
    if (group) group.push(name)
    else if (name !== NO_STORE) groups.push([name])
  }
  return groups
}

async function measureGroup(servers: readonly LoadServer[], load: Load, rounds: number): Promise<readonly Measured[]> {
  const group = servers.map((server): Measured => ({ server, results: [], group: [] }))
  // The first round compiles the code.
  for (let round = -1; round < rounds; round++) {
    for (const { server, results } of rotate(group, round)) {
      const result = await server.send(load)
      if (round >= 0) results.push(result)
    }
  }
  return group.map((measured) => ({ ...measured, group }))
}

function printTable(framework: Framework, load: Load, measured: readonly Measured[]): void {
  const { connections } = load
  console.log(
    `\n${framework}, ${connections.toLocaleString('en')} ${connections === 1 ? 'connection' : 'connections'}\n`,
  )
  console.log(
    '| what | deliveries per second | × by hand | aim | p50 | p99 | slowest | CPU per delivery | × no store | aim | reached |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  const isBase = ({ server }: Measured) => server.name === NO_STORE
  const [base] = measured.filter(isBase)
  if (base) printRow({ ...base, results: measured.filter(isBase).flatMap(({ results }) => results) }, load)
  for (const one of measured) if (!isBase(one)) printRow(one, load)
}

function printRow({ server, results, group }: Measured, load: Load): void {
  const { connections, deliveries } = load
  const { name, kind, byHand } = server
  const resultsOf = (other: string | undefined) => group.find((each) => each.server.name === other)?.results
  const hand = resultsOf(byHand)
  const noStore = name === NO_STORE ? undefined : resultsOf(NO_STORE)
  const faster = hand && compare(hand, results, ({ seconds }) => seconds)
  const costlier = noStore && compare(results, noStore, ({ cpuMicros }) => cpuMicros)
  // The aims are for many connections. One delivery at a time has nothing to share.
  const isAimed = connections > 1 && kind === 'store'
  const aim = isAimed ? server.aim : undefined
  const isReached =
    results.every((result) => faultsOf(result) === '') &&
    (faster?.median ?? 0) >= (aim ?? 0) &&
    (costlier?.median ?? 0) <= MAX_CPU_RATIO
  const middle = (of: (result: LoadResult) => number) => median(results.map(of))
  const cells = [
    Math.round(deliveries / middle(({ seconds }) => seconds)).toLocaleString('en'),
    faster ? ratioText(faster) : '',
    aim === undefined ? '' : `≥ ${aim}`,
    ...[middle(({ p50 }) => p50), middle(({ p99 }) => p99), Math.max(...results.map(({ max }) => max))].map(inMs),
    `${Math.round(middle(({ cpuMicros }) => cpuMicros) / deliveries)} µs`,
    costlier ? ratioText(costlier) : '',
    isAimed ? `≤ ${MAX_CPU_RATIO}` : '',
    aim === undefined ? '' : isReached ? 'yes' : '**no**',
  ]
  const faults = results.map(faultsOf).find((text) => text !== '')
  console.log(`| ${name}${faults ? `: ${faults}` : ''} | ${cells.join(' | ')} |`)
}

function compare(one: readonly LoadResult[], other: readonly LoadResult[], of: (result: LoadResult) => number): Ratio {
  const figure = (results: readonly LoadResult[]) => ({ name: '', perRound: results.map(of) })
  return ratioOf(figure(one), figure(other))
}

function inMs(ms: number): string {
  return `${ms.toFixed(1)} ms`
}
