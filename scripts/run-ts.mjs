// Bundles a TypeScript script of this repository with its imports and runs it: node scripts/run-ts.mjs FILE [ARGUMENT…]
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { build } from 'esbuild'

const [file, ...rest] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE [ARGUMENT…]')
  process.exit(2)
}
// Of this run only: another may be loading its own, and so may the processes a script starts.
const outfile = resolve('node_modules/.cache/run-ts', `${basename(file, '.ts')}-${process.pid}.mjs`)
await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  packages: 'external',
  logLevel: 'error',
})
const child = spawn(process.execPath, ['--enable-source-maps', outfile, ...rest], { stdio: 'inherit' })
process.on('SIGINT', () => child.kill('SIGINT'))
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  rmSync(outfile, { force: true })
  process.exit(signal ? 1 : (code ?? 1))
})
