/** Packs the package as for publishing and installs the tarball, offline and alone, into a temporary project. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectPackage } from '../../scripts/package.mjs'

/** A tarball and the project that has it installed. */
export interface Packed {
  /** The files of the tarball. */
  readonly files: readonly string[]
  /** The path of the tarball. */
  readonly tarball: string
  /** The folder of the project that has the tarball installed. */
  readonly consumer: string
  /** Removes the tarball and the project. */
  remove(): void
}

/** Packs and installs the package. Needs `dist/`. */
export function installPacked(): Packed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'govalid-package-')))
  const { filename, files } = pack(folder)
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  // Optional peers stay out of the installation. Otherwise npm tries to resolve the peers that its cache knows, and fails offline.
  const flags = ['--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...flags, join(folder, filename)], { cwd: consumer })
  return {
    files: files.map((file) => file.path),
    tarball: join(folder, filename),
    consumer,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function pack(folder: string): { filename: string; files: readonly { path: string }[] } {
  collectPackage(join(folder, 'package'))
  const options = ['--json', '--ignore-scripts', '--pack-destination', folder]
  const output = execFileSync('npm', ['pack', join(folder, 'package'), ...options])
  return JSON.parse(output.toString())[0]
}
