// Builds the package a second time and compares it with dist/, byte for byte. Then packs both builds and compares the tarballs. Needs dist/.
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { collectPackage } from './package.mjs'

const root = resolve(import.meta.dirname, '..')
const first = join(root, 'dist')
// A copy of the package: the second build, and the files that are packed next to dist/.
const copy = mkdtempSync(join(root, '.rebuild-'))
const second = join(copy, 'dist')
/** @param {string} folder */
const filesOf = (folder) => globSync('**/*.*', { cwd: folder }).sort()

/** Returns the files and the tarball hash that npm would publish from a folder. @param {string} folder */
function pack(folder) {
  const args = ['pack', '--json', '--dry-run', '--ignore-scripts']
  const [packed] = JSON.parse(
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }).toString(),
  )
  return packed
}

try {
  execFileSync('tsup', ['--out-dir', second, '--silent'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const [before, after] = [filesOf(first), filesOf(second)]
  const differing = [...new Set([...before, ...after])].filter(
    (file) =>
      !before.includes(file) ||
      !after.includes(file) ||
      !readFileSync(join(first, file)).equals(readFileSync(join(second, file))),
  )
  if (differing.length > 0) throw new Error(`The two builds differ in: ${differing.join(', ')}`)
  console.log(`Both builds have the same bytes in ${before.length} files.`)
  const collected = join(copy, 'package')
  collectPackage(collected)
  const published = pack(collected)
  rmSync(join(collected, 'dist'), { recursive: true })
  cpSync(second, join(collected, 'dist'), { recursive: true })
  const repacked = pack(collected)
  if (published.integrity !== repacked.integrity) throw new Error('The tarballs of the two builds differ.')
  console.log(`Both tarballs have the same ${published.size} bytes: shasum ${published.shasum}, ${published.integrity}`)
} finally {
  rmSync(copy, { recursive: true, force: true })
}
