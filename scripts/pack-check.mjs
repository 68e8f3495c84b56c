// Packs the package as for publishing and checks the tarball with publint and "are the types wrong". Needs dist/.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectPackage } from './package.mjs'

const folder = mkdtempSync(join(tmpdir(), 'govalid-pack-'))
/** @param {string} command @param {string[]} args */
const run = (command, args) => execFileSync(command, args, { stdio: 'inherit' })

try {
  collectPackage(join(folder, 'package'))
  const options = ['--json', '--ignore-scripts', '--pack-destination', folder]
  const packed = execFileSync('npm', ['pack', join(folder, 'package'), ...options])
  const tarball = join(folder, JSON.parse(packed.toString())[0].filename)
  run('publint', ['run', tarball, '--strict'])
  run('attw', [tarball])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
