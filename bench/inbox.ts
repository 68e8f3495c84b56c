/**
 * `npm run bench -- inbox`: measures how long GoValid waits for its 200 and how many deliveries per second are accepted and processed, with each
 * inbox and without one: Express, an empty handler, and a few connections that each wait for their response. One process both serves and
 * processes.
 *
 * Options: `--deliveries N` (2,000 each), `--connections N` (8), `--rounds N` (3).
 */
import { parseArgs } from 'node:util'
import { faultsOf, type LoadResult, playRole, withLoadBench } from './load/run-load.js'
import { SUBJECTS } from './load/subjects.js'
import { median } from './measure.js'
import { printHead } from './report.js'

const INLINE = '`sqliteStore`'

if (!(await playRole())) {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '2000' },
      connections: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
    },
  })
  const [deliveries, connections] = [Number(values.deliveries), Number(values.connections)]
  printHead('Inboxes compared with inline processing')
  console.log(`\n${deliveries.toLocaleString('en')} deliveries per round, ${connections} connections\n`)
  console.log('| | p50 | p99 | accepted per second | processed per second |\n| --- | --- | --- | --- | --- |')
  await withLoadBench([''], async (bench) => {
    for (const subject of bench.subjects.filter((name) => name === INLINE || SUBJECTS[name]?.kind === 'inbox')) {
      const server = await bench.start('Express', subject, false)
      const load = { deliveries, connections, connectsFirst: true }
      // The first round compiles the code.
      const results: LoadResult[] = [await server.send(load)]
      for (let round = 0; round < Number(values.rounds); round++) results.push(await server.send(load))
      await server.end()
      printRow(subject === INLINE ? `inline, ${INLINE}` : subject, deliveries, results.slice(1))
    }
  })
}

function printRow(name: string, deliveries: number, results: readonly LoadResult[]): void {
  const middle = (of: (result: LoadResult) => number) => median(results.map(of))
  const rate = (seconds: number) => Math.round(deliveries / seconds).toLocaleString('en')
  const times = [middle(({ p50 }) => p50), middle(({ p99 }) => p99)].map((ms) => `${ms.toFixed(1)} ms`)
  const processed = results.map(faultsOf).find(Boolean) ?? rate(middle(({ handledSeconds }) => handledSeconds))
  console.log(`| ${name} | ${times.join(' | ')} | ${rate(middle(({ seconds }) => seconds))} | ${processed} |`)
}
