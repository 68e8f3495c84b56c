/** The built files and the imports between them. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './manifest.js'

/** The folder of the built files. */
export const DIST = join(ROOT, 'dist')

/** Every built file, by its path in `DIST`. */
export const distFiles: readonly string[] = globSync('**/*.*', { cwd: DIST }).sort()

/** Reads a built file. */
export function readBuilt(file: string): string {
  return readFileSync(join(DIST, file), 'utf8')
}

/** Returns the roots and every built file that they reach over relative imports. */
export function reachableFrom(roots: readonly string[]): string[] {
  const seen = new Set<string>()
  const queue = [...roots]
  for (const file of queue) {
    if (seen.has(file)) continue
    seen.add(file)
    const specifiers = [...readBuilt(file).matchAll(/(?:from|import|require\(|import\()\s*['"](\.[^'"]+)['"]/g)]
    queue.push(...specifiers.map(([, specifier = '']) => targetOf(file, specifier)))
  }
  return [...seen]
}

/** Resolves an import. In a declaration file, `./x.js` means `./x.d.ts`. */
function targetOf(file: string, specifier: string): string {
  const target = join(dirname(file), specifier)
  return /\.d\.c?ts$/.test(file) ? target.replace(/\.(c?)js$/, '.d.$1ts') : target
}
