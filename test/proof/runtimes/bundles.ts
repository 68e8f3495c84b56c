/**
 * Bundles the programs into the folder where the tarball is installed. Their imports of `src/` become imports of the package, which each
 * runtime or its bundler resolves in `node_modules`, with the conditions of the format, as for a user.
 */
import { join, relative } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import entries from '../../../config/entries.json' with { type: 'json' }

/** The formats of the package. */
export const FORMATS = ['esm', 'cjs'] as const
/** A format of the package. */
export type Format = (typeof FORMATS)[number]

/** The files of the programs of one format. */
export interface Programs {
  /** For `node FILE`. */
  readonly process: string
  /** An ES module with a default export, as workerd loads it. */
  readonly worker: string
  /** A script that listens for `fetch`, as an edge function is evaluated. */
  readonly edge: string
}

const ROOT = process.cwd()
const SOURCES = join(ROOT, 'test/proof/runtimes')

/** Writes the programs of a format into a folder of the consumer. */
export async function bundlePrograms(consumer: string, format: Format): Promise<Programs> {
  const suffix = format === 'esm' ? 'mjs' : 'cjs'
  const process = join(consumer, `serve-process.${suffix}`)
  const module = join(consumer, `serve-module.${suffix}`)
  const shared = {
    bundle: true,
    format,
    target: 'es2022',
    logLevel: 'error',
    plugins: [packageForSources],
  } satisfies BuildOptions
  await build({ ...shared, entryPoints: [join(SOURCES, 'serve-process.ts')], outfile: process, platform: 'node' })
  await build({ ...shared, entryPoints: [join(SOURCES, 'serve-module.ts')], outfile: module, platform: 'neutral' })
  const worker = join(consumer, format, 'worker.js')
  const edge = join(consumer, format, 'edge.js')
  const imported = `import { handle } from './serve-module.${suffix}'`
  await bundleWhole(consumer, `${imported}; export default { fetch: (request) => handle(request) }`, worker, 'esm')
  await bundleWhole(
    consumer,
    `${imported}; addEventListener('fetch', (event) => event.respondWith(handle(event.request)))`,
    edge,
    'iife',
  )
  return { process, worker, edge }
}

/** Bundles a program with all its imports, as a deployment does. */
async function bundleWhole(folder: string, contents: string, outfile: string, format: 'esm' | 'iife'): Promise<void> {
  const stdin = { contents, resolveDir: folder, sourcefile: `${format}.mjs` }
  await build({ stdin, outfile, format, bundle: true, platform: 'neutral', target: 'es2022', logLevel: 'error' })
}

/** Resolves an import of an entry's source to the package. Any other import of `src/` is an error, except for types. */
const packageForSources: Plugin = {
  name: 'package-for-sources',
  setup(builder) {
    builder.onResolve({ filter: /\/src\// }, ({ path, resolveDir }) => {
      const file = relative(ROOT, join(resolveDir, path)).replace(/\.js$/, '.ts')
      const entry = Object.entries(entries).find(([, source]) => source === file)
      if (!entry) return { errors: [{ text: `${file} is not an entry of the package` }] }
      return { path: `govalid-webhooks${entry[0].slice(1)}`, external: true }
    })
  },
}
