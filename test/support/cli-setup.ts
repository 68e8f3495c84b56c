/** Global setup of the command line's tests: installs the package, and builds its binary from the current sources, so that no old dist/ is tested. */
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'
import manifest from '../../package.json' with { type: 'json' }
import { addresses } from '../../scripts/address.mjs'
import { errorSections } from '../../scripts/error-sections.mjs'
import { inspectorPage } from '../../scripts/inspector-page.mjs'
import { installPacked } from './packed.js'

export default async function setup(project: TestProject): Promise<() => void> {
  const { files, tarball, consumer, remove } = installPacked()
  await build({
    entryPoints: ['src/cli/cli.ts'],
    outfile: join(consumer, 'node_modules', manifest.name, 'dist/cli.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    plugins: [inspectorPage, errorSections],
    define: {
      PACKAGE_VERSION: JSON.stringify(manifest.version),
      ERRORS_PAGE: JSON.stringify(addresses?.errorsPage) ?? 'undefined',
    },
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
  })
  project.provide('packed', { files, tarball, consumer })
  return remove
}
