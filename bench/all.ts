/**
 * `npm run bench`: every benchmark, one after the other. With `--write` what each prints becomes its part of docs/performance.md, so that no
 * figure there is written by hand.
 *
 * Options: `--write`, `--only NAME` (repeatable), `--rounds N` (fewer than a command would do by itself).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** Every benchmark by the name of its script, in the order of the page; which of them go in rounds. */
const BENCHMARKS: Readonly<Record<string, { readonly rounds: boolean }>> = {
  verify: { rounds: true },
  receive: { rounds: true },
  workerd: { rounds: true },
  size: { rounds: false },
  import: { rounds: true },
  http: { rounds: true },
  fetch: { rounds: true },
  stores: { rounds: true },
  memory: { rounds: true },
  hash: { rounds: true },
  inbox: { rounds: false },
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
  if (values.write) writeFileSync(PAGE, put(readFileSync(PAGE, 'utf8'), name, printed))
}

function run(name: string): string {
  const benchmark = BENCHMARKS[name]
  if (!benchmark) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
  const rounds = benchmark.rounds && values.rounds !== undefined ? ['--rounds', values.rounds] : []
  const args = ['run', '--silent', `bench:${name}`, '--', ...rounds]
  const { stdout, status } = spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  console.log(`${stdout}\n`)
  if (status !== 0) throw new Error(`bench:${name} failed`)
  return stdout.trim()
}

/** Puts what was printed between the marks of a benchmark. */
function put(page: string, name: string, printed: string): string {
  const [start, end] = [`<!-- printed by bench:${name} -->`, '<!-- to here -->']
  const from = page.indexOf(start)
  const to = page.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`${PAGE} has no place for bench:${name}`)
  return `${page.slice(0, from)}${start}\n\n${printed}\n\n${page.slice(to)}`
}
