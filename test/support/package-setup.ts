/**
 * Global set-up of the package tests: packs the package as it would be published, and installs the tarball, with nothing
 * else and without a network, into a folder of its own. dist/ must be built.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

const ROOT = join(import.meta.dirname, '../..')

declare module 'vitest' {
  interface ProvidedContext {
    /** The files of the tarball, and a folder where it is installed as a consumer would. */
    packed: { readonly files: readonly string[]; readonly consumer: string }
  }
}

export default function setup(project: TestProject): () => void {
  if (!existsSync(join(ROOT, 'dist')))
    throw new Error('there is no dist/: run `npm run build` before the package tests')
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'govalid-package-')))
  const { filename, files } = pack(folder)
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const flags = ['--offline', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...flags, join(folder, filename)], { cwd: consumer })
  project.provide('packed', { files: files.map((file) => file.path), consumer })
  return () => rmSync(folder, { recursive: true, force: true })
}

function pack(folder: string): { filename: string; files: readonly { path: string }[] } {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  return JSON.parse(output.toString())[0]
}
