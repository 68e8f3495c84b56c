/** The package as it would be published: packed, and the tarball installed, with nothing else and without a network, into a folder of its own. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = process.cwd()

/** A tarball, and where it is installed. */
export interface Packed {
  /** The files of the tarball. */
  readonly files: readonly string[]
  /** The folder of a package that depends on it. */
  readonly consumer: string
  /** Removes both. */
  remove(): void
}

/** Packs and installs it. `dist/` must be built, and the working folder be the repository. */
export function installPacked(): Packed {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('there is no dist/: run `npm run build` first')
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'govalid-package-')))
  const { filename, files } = pack(folder)
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const flags = ['--offline', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...flags, join(folder, filename)], { cwd: consumer })
  return {
    files: files.map((file) => file.path),
    consumer,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function pack(folder: string): { filename: string; files: readonly { path: string }[] } {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  return JSON.parse(output.toString())[0]
}
