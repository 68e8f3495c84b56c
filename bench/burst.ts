/**
 * `npm run bench -- burst`: sends many deliveries on many new connections at once, to Express and Fastify with every durable store and inbox,
 * the same deduplication by hand, and no store. Each server has its own process, and so has the sender. Needs about three minutes.
 *
 * Options: `--deliveries N` (10,000), `--connections N` (4,000), `--runs N` (1; of several runs, the slowest is printed), `--only TEXT` (repeatable;
 * only subjects with this text in their name), `--framework NAME` (only `Express` or `Fastify`).
 */
import { parseArgs } from 'node:util'
import { assertOpenFiles, faultsOf, type LoadBench, type LoadResult, playRole, withLoadBench } from './load/run-load.js'
import type { Framework } from './load/server.js'
import { SUBJECTS } from './load/subjects.js'
import { printHead } from './report.js'

const LIMIT_S = 3
/** A process that serves a campaign has already served some deliveries. */
const WARM_UP = { deliveries: 500, connections: 16, connectsFirst: true }

if (!(await playRole())) {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '10000' },
      connections: { type: 'string', default: '4000' },
      runs: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: [''] },
      framework: { type: 'string' },
    },
  })
  const [deliveries, connections] = [Number(values.deliveries), Number(values.connections)]
  assertOpenFiles(connections)
  printHead('A burst')
  await withLoadBench(values.only, async (bench) => {
    const frameworks = (['Express', 'Fastify'] as const).filter((name) => name === (values.framework ?? name))
    for (const framework of frameworks) {
      printTableHead(framework, deliveries, connections)
      for (const subject of bench.subjects) {
        const result = await slowestRun(bench, framework, subject, { deliveries, connections }, Number(values.runs))
        printResult(subject, deliveries, result)
      }
    }
  })
}

async function slowestRun(
  bench: LoadBench,
  framework: Framework,
  subject: string,
  load: { readonly deliveries: number; readonly connections: number },
  runs: number,
): Promise<LoadResult> {
  const results: LoadResult[] = []
  for (let run = 0; run < runs; run++) {
    const server = await bench.start(framework, subject, true)
    await server.send(WARM_UP)
    results.push(await server.send({ ...load, connectsFirst: false }))
    await server.end()
  }
  const isWorse = (one: LoadResult, other: LoadResult) => okOf(one) < okOf(other) || one.seconds > other.seconds
  return results.reduce((worst, result) => (isWorse(result, worst) ? result : worst))
}

function printTableHead(framework: Framework, deliveries: number, connections: number): void {
  const [count, open] = [deliveries, connections].map((number) => number.toLocaleString('en'))
  console.log(`\n${framework}: ${count} deliveries on ${open} connections, opened at the same moment\n`)
  console.log(
    `| what | responses | p50 | p99 | slowest | deliveries per second | CPU per delivery | longest block | all 200 within ${LIMIT_S} s |`,
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
}

function printResult(subject: string, deliveries: number, result: LoadResult): void {
  const { p50, p99, max, seconds, cpuMicros, longestBlockMs } = result
  const ok = `${okOf(result).toLocaleString('en')} × 200`
  const counts = [ok, faultsOf(result)].filter(Boolean).join(', ')
  const rate = Math.round(deliveries / seconds).toLocaleString('en')
  const cpu = `${Math.round(cpuMicros / deliveries)} µs`
  const cells = [counts, ...[p50, p99, max].map(inSeconds), rate, cpu]
  const hasAim = SUBJECTS[subject]?.kind === 'store' || SUBJECTS[subject]?.kind === 'inbox'
  const reached = faultsOf(result) === '' && max <= LIMIT_S * 1000 ? 'yes' : '**no**'
  console.log(`| ${subject} | ${cells.join(' | ')} | ${longestBlockMs.toFixed(0)} ms | ${hasAim ? reached : ''} |`)
}

function okOf({ responses }: LoadResult): number {
  return responses['200'] ?? 0
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
