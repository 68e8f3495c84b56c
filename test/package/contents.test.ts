/** The contents of the published package: the manifest, the list of files, and the text that the files must and must not contain. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, posix } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { anchorsOf, linksOf } from '../docs/pages.js'
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
  const { files, consumer } = inject('packed')

  const pages = globSync('docs/**/*.md', { cwd: ROOT }).map((path) => path.replaceAll('\\', '/'))

  it('contains only the built files, the license, the README and the documentation', () => {
    const allowed =
      /^((?:[\w-]+\/){0,2}package\.json|README\.md|AGENTS\.md|LICENSE|CHANGELOG\.md|docs\/.+\.md|dist\/.+\.(js|cjs|d\.ts|d\.cts)|dist\/THIRD-PARTY-LICENSES\.txt)$/
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

  it('contains every page for users, but not those for contributors', () => {
    const forUsers = pages.filter((path) => !/^docs\/(contributing|decisions)\//.test(path))
    expect(files.filter((file) => file.startsWith('docs/')).sort()).toEqual(forUsers.sort())
  })

  it('contains every page that the code names', () => {
    const named = distFiles.flatMap((file) => read(file).match(/\bdocs\/[\w/-]+\.md\b/g) ?? [])
    expect(named).toContain('docs/reference/errors.md')
    expect([...new Set(named)].filter((path) => !files.includes(path))).toEqual([])
  })

  it('contains the target of every link and every picture on its pages', () => {
    const packed = files.filter((file) => file.endsWith('.md'))
    expect(packed.length).toBeGreaterThan(20)
    const dead = packed.flatMap((path) => deadLinksOf(path).map((target) => `${path}: ${target}`))
    expect(dead).toEqual([])
  })

  /** Returns the links of a packed page that lead to no packed file or to no heading. */
  function deadLinksOf(path: string): readonly string[] {
    const readPacked = (file: string) => ({
      path: file,
      lines: readFileSync(join(consumer, 'node_modules', manifest.name, file), 'utf8').split('\n'),
    })
    const page = readPacked(path)
    const inHtml = page.lines.flatMap((line) => [...line.matchAll(/<\w+[^>]* (?:src|srcset|href)="([^"]+)"/g)])
    const targets = [...linksOf(page).map(({ target }) => target), ...inHtml.map(([, target = '']) => target)]
    return targets.filter((target) => {
      if (/^https:/.test(target)) return false
      const [name = '', anchor] = target.split('#')
      const file = name === '' ? path : posix.join(posix.dirname(path), name).replace(/\/$/, '')
      if (anchor !== undefined && files.includes(file)) return !anchorsOf(readPacked(file)).has(anchor)
      return !files.some((packed) => packed === file || packed.startsWith(`${file}/`))
    })
  }
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
