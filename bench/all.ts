/**
 * `npm run bench -- [NAME…] [OPTION…]`: runs the named benchmarks one after another, or all of them. `npm run bench -- install` installs the
 * packages that they compare with.
 *
 * Options: `--write` (replaces the figures in docs/contributing/benchmarks.md with the output), `--rounds N`. A single benchmark also takes the options
 * that its file describes.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** The benchmarks in the order of the page, by the name of their file. `needsBuild` is for those that measure dist/. */
const BENCHMARKS: Readonly<Record<string, { readonly hasRounds: boolean; readonly needsBuild?: boolean }>> = {
  verify: { hasRounds: true },
  receive: { hasRounds: true },
  workerd: { hasRounds: true },
  size: { hasRounds: false, needsBuild: true },
  import: { hasRounds: true, needsBuild: true },
  http: { hasRounds: true },
  fetch: { hasRounds: true },
  stores: { hasRounds: true },
  memory: { hasRounds: true },
  throughput: { hasRounds: true },
  burst: { hasRounds: false },
  inbox: { hasRounds: true },
}
const PAGE = 'docs/contributing/benchmarks.md'

const args = process.argv.slice(2)
const firstOption = args.findIndex((arg) => arg.startsWith('-'))
const names = firstOption < 0 ? args : args.slice(0, firstOption)
const options = firstOption < 0 ? [] : args.slice(firstOption)

if (names[0] === 'install') run('npm', ['ci', '--prefix', 'bench/peers', '--ignore-scripts'])
else for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) measure(name)

function measure(name: string): void {
  const benchmark = BENCHMARKS[name]
  if (!benchmark) throw new Error(`Unknown benchmark "${name}". Use one of: ${Object.keys(BENCHMARKS).join(', ')}.`)
  if (benchmark.needsBuild) run('npm', ['run', '--silent', 'build', '--', '--silent'])
  const passedOn = benchmark.hasRounds || names.length === 1 ? options.filter((option) => option !== '--write') : []
  const printed = run(process.execPath, ['scripts/run-ts.mjs', `bench/${name}.ts`, ...passedOn])
  if (options.includes('--write')) writeFileSync(PAGE, replaceResult(readFileSync(PAGE, 'utf8'), name, printed))
}

/** Runs a command and returns its output, which is also printed. */
function run(command: string, commandArgs: readonly string[]): string {
  const { stdout, status } = spawnSync(command, commandArgs, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  console.log(stdout)
  if (status !== 0) throw new Error(`${[command, ...commandArgs].join(' ')} failed. Its error is printed above.`)
  return stdout.trim()
}

/** Replaces the text between the markers of a benchmark. */
function replaceResult(page: string, name: string, printed: string): string {
  const [start, end] = [`<!-- printed by: npm run bench -- ${name} -->`, '<!-- to here -->']
  const startIndex = page.indexOf(start)
  const endIndex = page.indexOf(end, startIndex)
  if (startIndex < 0 || endIndex < 0) throw new Error(`${PAGE} needs the markers "${start}" and "${end}"`)
  return `${page.slice(0, startIndex)}${start}\n\n${printed}\n\n${page.slice(endIndex)}`
}
