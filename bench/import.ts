/**
 * `npm run bench -- import`: compares the cost of a cold import, in a fresh process each, with the import of `node:crypto`. Needs `dist/`; the
 * `npm run bench` builds it first.
 *
 * Options: `--rounds N` (21 processes each), `--ours` (skips the peers).
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Figure, median, ratioOf, rotate } from './measure.js'
import { PEERS_FOLDER } from './peers.js'
import { printHead, printRows, type Row, ratioText } from './report.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, ours: { type: 'boolean', default: false } },
})
const FLOOR = '`node:crypto`'
const MAX_RATIO = 1.5
const MAX_MS = 6
const built = (file: string) => pathToFileURL(resolve('dist', file)).href

/** The modules to import. Peers are resolved from the folder that they are installed in. */
const SPECIFIERS: Readonly<Record<string, string>> = {
  [FLOOR]: 'node:crypto',
  'ours: `govalid-webhooks`': built('index.js'),
  'ours: `govalid-webhooks/express`': built('express.js'),
  ...(!values.ours &&
    existsSync(resolve(PEERS_FOLDER, 'node_modules')) && {
      'Octokit: `@octokit/webhooks`': '@octokit/webhooks',
      'Octokit: `@octokit/webhooks-methods`': '@octokit/webhooks-methods',
      'Standard Webhooks: `standardwebhooks`': 'standardwebhooks',
      'Clerk: `@clerk/backend/webhooks`': '@clerk/backend/webhooks',
      'Svix: `svix`': 'svix',
      'Stripe: `stripe`': 'stripe',
      'Polar: `@polar-sh/sdk/2027-01`': '@polar-sh/sdk/2027-01',
    }),
}

const PROGRAM = `
const startedAt = performance.now()
const before = process.cpuUsage()
await import(process.argv[1])
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ wall: 1000 * (performance.now() - startedAt), cpu: user + system }))`

printHead('Cold import')
const figures = measureImports()
const floor = figures.get(FLOOR)
if (floor)
  printRows(
    `${values.rounds} fresh processes each, in turns; CPU time (elapsed time)`,
    [...figures].slice(1).map(rowOf),
  )

interface Import {
  readonly cpu: Figure
  readonly wall: Figure
}

function measureImports(): ReadonlyMap<string, Import> {
  const names = Object.keys(SPECIFIERS)
  const times = new Map(names.map((name) => [name, { cpu: [] as number[], wall: [] as number[] }]))
  // The first round fills the file system's cache.
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const name of rotate(names, round)) {
      const { cpu, wall } = importOnce(SPECIFIERS[name] as string)
      if (round < 0) continue
      times.get(name)?.cpu.push(cpu)
      times.get(name)?.wall.push(wall)
    }
  }
  const figuresOf = (
    { cpu, wall }: { readonly cpu: readonly number[]; readonly wall: readonly number[] },
    name: string,
  ) => ({
    cpu: { name, perRound: cpu },
    wall: { name, perRound: wall },
  })
  return new Map([...times].map(([name, time]) => [name, figuresOf(time, name)]))
}

function importOnce(specifier: string): { readonly cpu: number; readonly wall: number } {
  const args = ['--input-type=module', '--eval', PROGRAM, specifier]
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: PEERS_FOLDER,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`The import of ${specifier} failed. Its error is printed above.`)
  return JSON.parse(stdout)
}

function rowOf([name, { cpu, wall }]: readonly [string, Import]): Row {
  const ratio = ratioOf(cpu, (floor as Import).cpu)
  const row = {
    what: name,
    ours: milliseconds(cpu, wall),
    floor: milliseconds((floor as Import).cpu, (floor as Import).wall),
    ratio: ratioText(ratio),
  }
  if (!name.startsWith('ours')) return row
  const reached = ratio.median <= MAX_RATIO && median(wall.perRound) <= 1000 * MAX_MS
  return { ...row, aim: `≤ ${MAX_RATIO.toFixed(2)}, ≤ ${MAX_MS} ms elapsed`, reached }
}

function milliseconds(cpu: Figure, wall: Figure): string {
  return `${(median(cpu.perRound) / 1000).toFixed(1)} ms (${(median(wall.perRound) / 1000).toFixed(1)} ms)`
}
