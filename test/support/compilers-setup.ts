/** Global setup of the runtime tests: installs other versions of TypeScript, and Jest, from `test/fixtures/consumer`. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The folder of the installation. */
export const FIXTURE = join(ROOT, 'test/fixtures/consumer')

/** Returns the path of a compiler, such as `typescript70`. */
export function compilerPath(name: string): string {
  return join(FIXTURE, 'node_modules', name, 'bin/tsc')
}

/** Installs the compilers if they are missing. */
export default function setup(): void {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (!existsSync(join(FIXTURE, 'node_modules'))) execFileSync('npm', ['ci', ...flags], { cwd: FIXTURE })
}
