/**
 * `npm run proof -- hostile`: sends every row of the acceptance list and its expanded sets (bit flips, Project Wycheproof, JSONTestSuite,
 * naughty strings, the verdicts of the documented function, published MACs) over real sockets in every framework. Counts the faults that
 * must never happen, and exits with 1 if one did. Missing sets are listed and skipped.
 *
 * Options: `--target NAME` (repeatable: express5, fastify5, next, workerd, node, hono, and express4, fastify4, workerd-node), `--record`.
 */
import { parseArgs } from 'node:util'
import { playSets } from './hostile/play.js'
import { chooseTargets, DEFAULT_TARGETS } from './hostile/targets.js'
import { reportResult, row } from './record.js'
import { faultsOf, type Zeros, zeroRows } from './zeros.js'

process.exitCode = await prove()

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true, default: [...DEFAULT_TARGETS] },
      record: { type: 'boolean', default: false },
    },
  })
  const startedAt = performance.now()
  const targets = chooseTargets(values.target)
  const sizes = new Map<string, number>()
  const found: Zeros[] = []
  for (const factory of targets) {
    const target = await factory.start()
    const playedAt = performance.now()
    const size = new Map<string, number>()
    const zeros = await playSets(target, (name, inputs) => size.set(name, (size.get(name) ?? 0) + inputs)).finally(() =>
      target.stop(),
    )
    for (const [name, inputs] of size) sizes.set(name, inputs)
    const seconds = ((performance.now() - playedAt) / 1000).toFixed(1)
    console.log(`${factory.name}: ${zeros.inputs} inputs in ${seconds} s, ${faultsOf(zeros)} faults`)
    for (const example of zeros.examples) console.error(`FAULT ${factory.name}: ${example}`)
    found.push(zeros)
  }
  for (const [name, inputs] of sizes) console.log(inputs > 0 ? `${name}: ${inputs}` : `${name}: MISSING`)
  const total = found.reduce((sum, { inputs }) => sum + inputs, 0)
  const rows = [row('in total', total), ...zeroRows(found)]
  reportResult('hostile', { columns: targets.map(({ name }) => name), rows, startedAt }, values.record)
  return found.every((zeros) => faultsOf(zeros) === 0 && zeros.verified > 0) && found.length > 0 ? 0 : 1
}
