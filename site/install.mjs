// Installs the tools of the site if they are missing: those of the project and those in site/. Runs on every version of Node.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const site = dirname(fileURLToPath(import.meta.url))
for (const folder of [dirname(site), site]) {
  if (existsSync(join(folder, 'node_modules'))) continue
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}
