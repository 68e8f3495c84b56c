/**
 * `npm run bench`: runs every benchmark, one after another. With `--write`, it replaces the figures in docs/performance.md with the output.
 *
 * Options: `--write`, `--only NAME` (repeatable), `--rounds N` (overrides the default of each benchmark).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** The benchmarks in the order of the page, keyed by the name of their script. */
const BENCHMARKS: Readonly<Record<string, { readonly hasRounds: boolean }>> = {
  verify: { hasRounds: true },
  receive: { hasRounds: true },
  workerd: { hasRounds: true },
  size: { hasRounds: false },
  import: { hasRounds: true },
  http: { hasRounds: true },
  fetch: { hasRounds: true },
  stores: { hasRounds: true },
  memory: { hasRounds: true },
  inbox: { hasRounds: false },
}
const PAGE = 'docs/performance.md'

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: Object.keys(BENCHMARKS) },
    rounds: { type: 'string' },
  },
})

for (const name of values.only) {
  const printed = run(name)
  if (values.write) writeFileSync(PAGE, replaceResult(readFileSync(PAGE, 'utf8'), name, printed))
}

function run(name: string): string {
  const benchmark = BENCHMARKS[name]
  if (!benchmark) throw new Error(`Unknown benchmark "${name}". Use one of: ${Object.keys(BENCHMARKS).join(', ')}.`)
  const rounds = benchmark.hasRounds && values.rounds !== undefined ? ['--rounds', values.rounds] : []
  const args = ['run', '--silent', `bench:${name}`, '--', ...rounds]
  const { stdout, status } = spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  console.log(`${stdout}\n`)
  if (status !== 0) throw new Error(`bench:${name} failed. Its error is printed above.`)
  return stdout.trim()
}

/** Replaces the text between the markers of a benchmark. */
function replaceResult(page: string, name: string, printed: string): string {
  const [start, end] = [`<!-- printed by bench:${name} -->`, '<!-- to here -->']
  const startIndex = page.indexOf(start)
  const endIndex = page.indexOf(end, startIndex)
  if (startIndex < 0 || endIndex < 0) throw new Error(`${PAGE} needs the markers "${start}" and "${end}"`)
  return `${page.slice(0, startIndex)}${start}\n\n${printed}\n\n${page.slice(endIndex)}`
}
