// Builds every entry of config/entries.json as ESM, CommonJS and types, and the command line as one separate file. The script empties the
// folder before, because the builds below run at the same time and `clean` would delete the files of the others.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from 'tsup'
import { defineConfig } from 'tsup'
import entries from './config/entries.json' with { type: 'json' }
import manifest from './package.json' with { type: 'json' }
import { addresses } from './scripts/address.mjs'
import { bundledPackages, licencesOf, recordBundled } from './scripts/bundled-packages.mjs'
import { errorSections } from './scripts/error-sections.mjs'
import { inspectorPage } from './scripts/inspector-page.mjs'
import { writeStubFolders } from './scripts/stub-folders.mjs'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const named = Object.entries(entries).map(([subpath, file]) => [subpath === '.' ? 'index' : subpath.slice(2), file])
const [schemas, others] = [true, false].map((wanted) =>
  Object.fromEntries(named.filter(([name]) => (name === 'schemas') === wanted)),
)

/** Error messages name the page only once it has an address. */
const ERRORS_PAGE = JSON.stringify(addresses?.errorsPage) ?? 'undefined'

const external = [/^node:/, 'next/server.js', /^@nestjs\//]

// The library must not contain other packages. The packages in the command line are recorded, and their licenses are shipped.
const libraryHasNoPackages: Plugin = {
  name: 'library-has-no-packages',
  setup(build) {
    build.onEnd(({ metafile }) => {
      if (!metafile) return
      const packages = bundledPackages(metafile)
      const names = packages.map(({ name }) => name).join(', ')
      if (names !== '') throw new Error(`The library must not contain other packages, but contains ${names}.`)
      recordBundled('library', packages)
    })
  },
}

const shipsLicences: Plugin = {
  name: 'ships-licences',
  setup(build) {
    build.onEnd(({ metafile, errors }) => {
      if (!metafile || errors.length > 0) return
      const packages = bundledPackages(metafile)
      recordBundled('cli', packages)
      writeFileSync(join(build.initialOptions.outdir ?? 'dist', 'THIRD-PARTY-LICENSES.txt'), licencesOf(packages))
    })
  },
}

const shared: Options = {
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'neutral',
  target: 'es2022',
  // Shared chunks give every subpath the same WebhookError class, once per format.
  splitting: true,
  treeshake: true,
  minify: false,
  sourcemap: false,
  clean: false,
  // The default turns `node:crypto` into `crypto`, which Workers and Deno don't know.
  removeNodeProtocol: false,
  external,
  define: { ERRORS_PAGE },
  esbuildPlugins: [libraryHasNoPackages],
}

// A separate build without exports, so that its code can't get into the chunks of the library.
const commandLine: Options = {
  entry: { cli: 'src/cli/cli.ts' },
  format: ['esm'],
  platform: 'node',
  target: 'node20',
  splitting: false,
  treeshake: true,
  removeNodeProtocol: false,
  esbuildPlugins: [inspectorPage, errorSections, shipsLicences],
  define: { PACKAGE_VERSION: JSON.stringify(manifest.version), ERRORS_PAGE },
  onSuccess: async () => writeStubFolders(),
  banner: {
    // The argument parser is CommonJS and requires Node's modules at run time.
    js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
  },
}

export default defineConfig([
  commandLine,
  { ...shared, entry: others },
  // The schemas use the application's zod, so zod stays an optional peer here.
  ...(Object.keys(schemas).length > 0 ? [{ ...shared, entry: schemas, external: [...external, /^zod(\/|$)/] }] : []),
])
