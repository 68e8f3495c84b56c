/** The contents of the published package: the manifest, the list of files, and the text that the files must and must not contain. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, posix } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { linksOf, readPages } from '../docs/pages.js'
import { distFiles, reachableFrom, readBuilt as read } from './built-files.js'
import { entryFiles, manifest, outputName, ROOT } from './manifest.js'

describe('the manifest', () => {
  const { './package.json': own, ...exported } = { ...manifest.exports }

  it('exports exactly the built entries, in both formats with their own types', () => {
    const expected = Object.keys(entryFiles).map((subpath) => [subpath, conditionsOf(outputName(subpath))])
    expect(exported).toEqual(Object.fromEntries(expected))
    expect(own).toBe('./package.json')
  })

  it('lists types before code, as module resolution requires', () => {
    const conditions = Object.values(exported).flatMap((entry) => [entry.import, entry.require])
    for (const condition of conditions) expect(Object.keys(condition)).toEqual(['types', 'default'])
  })

  it('names only files that exist', () => {
    for (const file of Object.values(entryFiles)) expect(existsSync(join(ROOT, file)), file).toBe(true)
    const targets = Object.values(exported)
      .flatMap((entry) => [entry.import, entry.require])
      .flatMap(Object.values)
    for (const target of targets) expect(existsSync(join(ROOT, target)), target).toBe(true)
  })

  it('has no runtime dependencies and only optional peers', () => {
    expect(manifest.dependencies ?? {}).toEqual({})
    const optional = Object.keys(manifest.peerDependencies).filter(
      (peer) => manifest.peerDependenciesMeta[peer]?.optional,
    )
    expect(optional).toEqual(Object.keys(manifest.peerDependencies))
  })

  it('has no install scripts', () => {
    const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare']
    expect(Object.keys(manifest.scripts).filter((script) => lifecycle.includes(script))).toEqual([])
  })

  it('declares no side effects and supports Node 20', () => {
    expect(manifest.sideEffects).toBe(false)
    expect(manifest.engines).toEqual({ node: '>=20' })
  })
})

describe('the tarball', () => {
  const { files } = inject('packed')

  const pages = readPages().filter(({ path }) => path.startsWith('docs/'))

  it('contains only the built files, the license, the README and the documentation', () => {
    const allowed =
      /^((?:[\w-]+\/){0,2}package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/.+\.md|dist\/.+\.(js|cjs|d\.ts|d\.cts)|dist\/THIRD-PARTY-LICENSES\.txt)$/
    expect(files.filter((file) => !allowed.test(file))).toEqual([])
    expect(files).toContain('LICENSE')
  })

  it('contains every built file', () => {
    expect(files.filter((file) => file.startsWith('dist/')).sort()).toEqual(
      distFiles.map((file) => `dist/${file}`).sort(),
    )
  })

  it('contains a folder per subpath, for resolvers that ignore `exports`', () => {
    const folders = Object.keys(entryFiles).map((subpath) => posix.join(subpath, 'package.json'))
    expect(files.filter((file) => file.endsWith('package.json')).sort()).toEqual(folders.sort())
  })

  it('contains every documentation page, but not the generated reference', () => {
    expect(files.filter((file) => file.startsWith('docs/')).sort()).toEqual(pages.map(({ path }) => path).sort())
  })

  it('contains every page that its pages link to or the code names', () => {
    const linked = pages.flatMap((page) => linksOf(page).map(({ target }) => posix.join(page.path, '..', target)))
    const named = distFiles.flatMap((file) => read(file).match(/\bdocs\/[\w/-]+\.md\b/g) ?? [])
    const wanted = [...linked.map((target) => target.replace(/#.*/, '')), ...named].filter((path) =>
      /^docs\/.+\.md$/.test(path),
    )
    expect(named).toContain('docs/reference/errors.md')
    expect([...new Set(wanted)].filter((path) => !files.includes(path))).toEqual([])
  })
})

describe('the built files', () => {
  it('contain no type parameter of Uint8Array, which TypeScript before 5.7 doesn’t know', () => {
    const types = distFiles.filter((file) => /\.d\.c?ts$/.test(file))
    expect(types.filter((file) => /Uint8Array</.test(read(file).replace(/\/\*\*[\s\S]*?\*\//g, '')))).toEqual([])
  })

  it('contain no path of the machine that built them', () => {
    const leaking = distFiles.filter((file) =>
      [ROOT, `${homedir()}/`, 'file:///', '/home/', '/Users/'].some((part) => read(file).includes(part)),
    )
    expect(leaking).toEqual([])
  })

  it.each(['.js', '.cjs'])('contain one WebhookError class in all %s files', (extension) => {
    // The command line is a separate program, so user code never sees its errors.
    const library = distFiles.filter((file) => file !== 'cli.js')
    const code = library.filter((file) => file.endsWith(extension)).map(read)
    expect(code.join('\n').match(/class \w*WebhookError\w* extends Error|WebhookError = class/g)).toHaveLength(1)
  })

  it.each(Object.keys(entryFiles).filter((subpath) => subpath !== './schemas'))(
    'of %s do not import zod',
    (subpath) => {
      const roots = ['.js', '.cjs', '.d.ts', '.d.cts'].map((extension) => `${outputName(subpath)}${extension}`)
      const naming = reachableFrom(roots).filter((file) =>
        /(from|import|require\()\s*['"]zod(\/[^'"]*)?['"]/.test(read(file)),
      )
      expect(naming).toEqual([])
    },
  )
})

function conditionsOf(name: string): Record<string, Record<string, string>> {
  return {
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  }
}
