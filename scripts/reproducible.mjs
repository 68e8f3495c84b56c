// Builds the package a second time and compares it with dist/, byte for byte. dist/ must be built.
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const first = join(root, 'dist')
const second = mkdtempSync(join(root, '.rebuild-'))
/** @param {string} folder */
const filesOf = (folder) => globSync('**/*.*', { cwd: folder }).sort()

try {
  execFileSync('tsup', ['--out-dir', second, '--silent'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const [before, after] = [filesOf(first), filesOf(second)]
  const differing = [...new Set([...before, ...after])].filter(
    (file) =>
      !before.includes(file) ||
      !after.includes(file) ||
      !readFileSync(join(first, file)).equals(readFileSync(join(second, file))),
  )
  if (differing.length > 0) throw new Error(`two builds differ in: ${differing.join(', ')}`)
  console.log(`two builds, the same bytes in ${before.length} files`)
} finally {
  rmSync(second, { recursive: true, force: true })
}
