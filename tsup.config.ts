// Builds every entry of entries.json as ESM, CommonJS and types, and the command line as one file of its own. The folder is emptied by the script, not here:
// the builds below run at the same time and `clean` would delete the other's files.
import { readFileSync } from 'node:fs'
import type { Options } from 'tsup'
import { defineConfig } from 'tsup'
import entries from './entries.json' with { type: 'json' }
import manifest from './package.json' with { type: 'json' }
import { inspectorPage } from './scripts/inspector-page.mjs'

const named = Object.entries(entries).map(([subpath, file]) => [subpath === '.' ? 'index' : subpath.slice(2), file])
const [schemas, others] = [true, false].map((wanted) =>
  Object.fromEntries(named.filter(([name]) => (name === 'schemas') === wanted)),
)

const external = [/^node:/, 'cloudflare:workers', 'next/server.js']

const shared: Options = {
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'neutral',
  target: 'es2022',
  // Shared chunks in both formats: one WebhookError class per format, whatever subpath it came through.
  splitting: true,
  treeshake: true,
  minify: false,
  sourcemap: false,
  clean: false,
  // The default turns `node:crypto` into `crypto`, which Workers and Deno do not know.
  removeNodeProtocol: false,
  external,
}

const commander = readFileSync('node_modules/commander/LICENSE', 'utf8').trim().replaceAll(/^/gm, ' * ')

// One file without exports: nothing of it can come into the library, and the library's chunks are none of its business.
const commandLine: Options = {
  entry: { cli: 'src/cli/cli.ts' },
  format: ['esm'],
  platform: 'node',
  target: 'node20',
  splitting: false,
  treeshake: true,
  removeNodeProtocol: false,
  esbuildPlugins: [inspectorPage],
  define: { PACKAGE_VERSION: JSON.stringify(manifest.version) },
  banner: {
    // The argument parser is CommonJS and asks for Node's modules at run time.
    js: `/*\n * This file contains commander:\n *\n${commander}\n */\nimport { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
  },
}

export default defineConfig([
  commandLine,
  { ...shared, entry: others },
  // Whoever imports the schemas wants them to be those of their own zod: it stays an (optional) peer here.
  ...(Object.keys(schemas).length > 0 ? [{ ...shared, entry: schemas, external: [...external, /^zod(\/|$)/] }] : []),
])
