/** Bundles TypeScript files, so that tests can start them as processes. */
import { rmSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

/** Bundles a file with its sources before the tests, and removes the bundle after them. Returns the path of the bundle. */
export function bundleForTests(file: string): string {
  const outfile = resolve('node_modules/.cache/test-processes', `${basename(file, '.ts')}-${process.pid}.mjs`)
  beforeAll(async () => {
    const node = { platform: 'node', format: 'esm', packages: 'external' } as const
    await build({ entryPoints: [file], outfile, bundle: true, logLevel: 'error', ...node })
  })
  afterAll(() => rmSync(outfile, { force: true }))
  return outfile
}
