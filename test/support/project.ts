/** Creates user projects, with the packed package installed, for `init` and the type checks. */
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** Creates a project with these dependencies, linked from this repository. */
export function project(dependencies: readonly string[], more: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(join(inject('packed').consumer, 'project-'))
  const listed = Object.fromEntries(dependencies.map((name) => [name, '*']))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a-project', dependencies: listed, ...more }))
  const modules = join(folder, 'node_modules')
  for (const name of [...dependencies, '@types/node', '@types/express']) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(modules, name)]
    if (!existsSync(from) || existsSync(to)) continue
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(from, to)
  }
  return folder
}

/** Adds a `tsconfig.json` to a project and returns its folder. */
export function typeScript(folder: string): string {
  const compilerOptions = {
    target: 'es2022',
    module: 'preserve',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['webhooks', 'src', 'app'] }))
  return folder
}
