/** The built files, and which of them reach which. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './manifest.js'

/** The folder of the built files. */
export const DIST = join(ROOT, 'dist')

/** Every built file, by its path in that folder. */
export const distFiles: readonly string[] = globSync('**/*.*', { cwd: DIST }).sort()

/** The text of a built file. */
export function readBuilt(file: string): string {
  return readFileSync(join(DIST, file), 'utf8')
}

/** The built files that these reach over relative imports, themselves included. */
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

/** A declaration file imports `./x.js` and means `./x.d.ts`. */
function targetOf(file: string, specifier: string): string {
  const target = join(dirname(file), specifier)
  return /\.d\.c?ts$/.test(file) ? target.replace(/\.(c?)js$/, '.d.$1ts') : target
}
