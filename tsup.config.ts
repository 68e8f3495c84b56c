// Builds every entry of entries.json as ESM, CommonJS and types. The folder is emptied by the script, not here:
// the two builds below run at the same time and `clean` would delete the other's files.
import type { Options } from 'tsup'
import { defineConfig } from 'tsup'
import entries from './entries.json' with { type: 'json' }

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

export default defineConfig([
  { ...shared, entry: others },
  // Whoever imports the schemas wants them to be those of their own zod: it stays an (optional) peer here.
  ...(Object.keys(schemas).length > 0 ? [{ ...shared, entry: schemas, external: [...external, /^zod(\/|$)/] }] : []),
])
