// Writes a folder with a package.json per subpath, for resolvers that ignore `exports`: TypeScript's `moduleResolution: node10`, webpack 4,
// Jest before 28. The build calls it. The folders are in the tarball, but not in the repository.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import entries from '../config/entries.json' with { type: 'json' }

// Not `import.meta.dirname`: tsup bundles this file into its configuration.
const root = process.cwd()

/** The names of the subpaths, without the package's main entry. */
export const subpaths = Object.keys(entries)
  .filter((subpath) => subpath !== '.')
  .map((subpath) => subpath.slice(2))

/** Writes the folders next to dist/. */
export function writeStubFolders() {
  for (const subpath of subpaths) {
    const output = `${'../'.repeat(subpath.split('/').length)}dist/${subpath}`
    const stub = { main: `${output}.cjs`, module: `${output}.js`, types: `${output}.d.cts` }
    mkdirSync(join(root, subpath), { recursive: true })
    writeFileSync(join(root, subpath, 'package.json'), `${JSON.stringify(stub, null, 2)}\n`)
  }
}
