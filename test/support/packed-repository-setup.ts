/** Global setup of the framework tests: packs the built package (dist/) and unpacks it as the repository that the examples depend on. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

const ROOT = join(import.meta.dirname, '../..')

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with the files of the tarball. An example in `examples/NAME` finds them at `../..`, as in the repository. */
    packedRepository: string
  }
}

export default function setup(project: TestProject): () => void {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('dist/ is missing. Run `npm run build` first.')
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'govalid-frameworks-')))
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const repository = join(folder, 'repository')
  mkdirSync(join(repository, 'examples'), { recursive: true })
  const tarball = join(folder, JSON.parse(packed.toString())[0].filename)
  execFileSync('tar', ['-xzf', tarball, '-C', repository, '--strip-components=1'])
  project.provide('packedRepository', repository)
  return () => rmSync(folder, { recursive: true, force: true })
}
