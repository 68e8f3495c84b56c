// Bundles a TypeScript script with its imports and runs it: node scripts/run-ts.mjs FILE [ARGUMENT…]
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { build } from 'esbuild'

const [file, ...rest] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE [ARGUMENT…]')
  process.exit(2)
}
// The process id keeps the bundle separate from other runs, including the processes that a script starts.
const outfile = resolve('node_modules/.cache/run-ts', `${basename(file, '.ts')}-${process.pid}.mjs`)
/** Keeps `import.meta.dirname` and `import.meta.filename` as the path of the source file, not of the bundle. @type {import('esbuild').Plugin} */
const sourcePaths = {
  name: 'source-paths',
  setup(bundle) {
    bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path))
      return { contents, loader: 'ts' }
    })
  },
}
await build({
  plugins: [sourcePaths],
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
