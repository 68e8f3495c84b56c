// Runs a proof: npm run proof -- NAME [OPTION…]. docs/contributing/proofs.md describes the proofs and shows their latest results.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** The proofs that use dist/. */
const NEED_BUILD = ['generated', 'hostile', 'runtimes', 'secrets']
/** The modules in test/proof that aren't proofs themselves. */
const MODULES = ['random', 'record', 'zeros']

const names = globSync('test/proof/*.ts', { cwd: root })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !MODULES.includes(name))
  .sort()
const [name = '', ...options] = process.argv.slice(2)

if (name === 'faults') run(process.execPath, ['scripts/plant-faults.mjs', ...options])
else if (names.includes(name)) {
  if (NEED_BUILD.includes(name)) run('npm', ['run', '--silent', 'build', '--', '--silent'])
  run(process.execPath, ['scripts/run-ts.mjs', `test/proof/${name}.ts`, ...options])
} else {
  console.error(`Usage: npm run proof -- NAME [OPTION…]. NAME is one of: ${['faults', ...names].join(', ')}.`)
  process.exitCode = 2
}

/** Runs a command in the root of the repository. Exits with its exit code if it fails. @param {string} command @param {string[]} args */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
