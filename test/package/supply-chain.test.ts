/** The supply chain of the package: lockfiles, bill of materials, licenses, and the workflows that publish it. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledPackages, licencesOf, readBundled } from '../../scripts/bundled-packages.mjs'
import { readBuilt } from './built-files.js'
import { manifest, ROOT } from './manifest.js'

interface Locked {
  readonly resolved?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const lockfiles = [
  'package-lock.json',
  'examples/nextjs/package-lock.json',
  'site/package-lock.json',
  'test/fixtures/next15/package-lock.json',
  'test/fixtures/consumer/package-lock.json',
]

describe.each(lockfiles)('%s', (file) => {
  const packages: Readonly<Record<string, Locked>> = JSON.parse(read(file)).packages
  // An example installs this package from its folder, so it isn't downloaded.
  const fetched = Object.entries(packages).filter(
    ([path, { resolved }]) => path !== '' && !resolved?.startsWith('file:'),
  )

  it('names no registry, only this repository’s folders', () => {
    const resolved = Object.values(packages).flatMap((locked) => locked.resolved ?? [])
    expect(resolved.filter((address) => !/^file:\.\.(\/\.\.)*$/.test(address))).toEqual([])
  })

  it('has the hash of every package', () => {
    expect(fetched.length).toBeGreaterThan(10)
    const unhashed = fetched.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))
    expect(unhashed.map(([path]) => path)).toEqual([])
  })

  it('lists a decision for every package with an install script', () => {
    const decided: Readonly<Record<string, boolean>> = JSON.parse(read('package.json')).allowScripts
    const running = fetched.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path))
    expect(running.filter((name) => decided[name] === undefined)).toEqual([])
    // Only the node package may run its script, so the project's scripts run on their own Node.
    expect(Object.keys(decided).filter((name) => decided[name])).toEqual(['node'])
  })
})

describe('the development dependencies', () => {
  it('are pinned to exact versions', () => {
    const { devDependencies, overrides } = JSON.parse(read('package.json'))
    const ranges = Object.entries({ ...devDependencies, ...overrides }).filter(
      ([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(String(version)),
    )
    expect(ranges).toEqual([])
  })
})

describe('the bill of materials', () => {
  const print = () => execFileSync(process.execPath, ['scripts/sbom.mjs'], { cwd: ROOT }).toString()
  const sbom = JSON.parse(print())

  it('is a CycloneDX document of this package and version', () => {
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 })
    const { version } = JSON.parse(read('package.json'))
    expect(sbom.metadata.component).toMatchObject({
      type: 'library',
      name: manifest.name,
      version,
      purl: `pkg:npm/${manifest.name}@${version}`,
    })
  })

  it('names exactly the packages that are bundled into the command line, with their installed versions', () => {
    const { version } = JSON.parse(read('node_modules/commander/package.json'))
    const components = sbom.components.map(
      ({ name, version, purl, licenses, properties }: Record<string, unknown>) => ({
        name,
        version,
        purl,
        licenses,
        properties,
      }),
    )
    expect(components).toEqual([
      {
        name: 'commander',
        version,
        purl: `pkg:npm/commander@${version}`,
        licenses: [{ license: { id: 'MIT' } }],
        properties: [{ name: 'govalid-webhooks:bundled-in', value: 'dist/cli.js' }],
      },
    ])
  })

  it('contains everything that it refers to', () => {
    const known = [sbom.metadata.component, ...sbom.components].map((component) => component['bom-ref'])
    const named = sbom.dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [
      ref,
      ...dependsOn,
    ])
    expect(named.filter((reference: string) => !known.includes(reference))).toEqual([])
  })

  it('is reproducible', () => {
    expect(JSON.parse(print())).toEqual(sbom)
  })
})

describe('bundled packages', () => {
  it('do not exist in the library', () => {
    expect(readBundled('library')).toEqual([])
  })

  it('match the code in the command line', () => {
    const marked = [...readBuilt('cli.js').matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(
      ([, name]) => name,
    )
    expect([...new Set(marked)]).toEqual(readBundled('cli').map(({ name }) => name))
  })

  it('have their complete licenses in the package', () => {
    const shipped = readBuilt('THIRD-PARTY-LICENSES.txt')
    for (const { name } of readBundled('cli')) {
      const license = globSync('LICEN[CS]E*', { cwd: join(ROOT, 'node_modules', name) })[0]
      expect(shipped, name).toContain(read(`node_modules/${name}/${license}`).trim())
    }
  })

  it('are detected by their bytes in an output, and named once', () => {
    const inputs = {
      'node_modules/commander/index.js': { bytesInOutput: 1 },
      'node_modules/commander/lib/command.js': { bytesInOutput: 1 },
      'node_modules/@types/node/fs.js': { bytesInOutput: 1 },
      'node_modules/zod/index.js': { bytesInOutput: 0 },
      'src/errors.ts': { bytesInOutput: 1 },
    }
    const found = bundledPackages({ outputs: { 'dist/a.js': { inputs }, 'dist/b.js': { inputs } } })
    expect(found.map(({ name }) => name)).toEqual(['@types/node', 'commander'])
    expect(licencesOf(found)).toMatch(
      /^dist\/cli\.js contains:\n\n@types\/node [\d.]+ \(MIT\)\n\n[\s\S]+\ncommander 14/,
    )
  })
})

const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT }).map((file) => [file, read(file)] as const)

describe.each(workflows)('%s', (_, text) => {
  it('pins every action to a commit and names its version', () => {
    const uses = text.match(/^.*\buses:.*$/gm) ?? []
    expect(uses.length).toBeGreaterThan(0)
    expect(uses.filter((line) => !/^ +- uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
  })

  it('grants permissions only to the jobs that need them', () => {
    expect(text).toMatch(/^permissions:( \{\}|\n {2}contents: read)$/m)
    expect(text).not.toMatch(/write-all|pull_request_target/)
  })

  it('keeps no credentials in the clone and uses no cache', () => {
    const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0
    expect(count(/persist-credentials: false/g)).toBe(count(/uses: actions\/checkout@/g))
    expect(count(/package-manager-cache: false/g)).toBe(count(/uses: actions\/setup-node@/g))
  })

  it('uses no untrusted input in a command', () => {
    const expressions = [...text.matchAll(/\$\{\{\s*([^}]*?)\s*\}\}/g)].map(([, expression]) => expression)
    expect(expressions.filter((expression) => !['github.ref', 'github.token'].includes(expression ?? ''))).toEqual([])
  })
})

describe('the release workflow', () => {
  const text = read('.github/workflows/release.yml')
  const jobs = Object.fromEntries(
    text
      .slice(text.indexOf('\njobs:'))
      .split(/^ {2}(?=\w+:$)/m)
      .map((part) => [part.slice(0, part.indexOf(':')), part]),
  )
  const permissionsOf = (job: string) =>
    /permissions:\n((?: {6}.+\n)+)/
      .exec(jobs[job] ?? '')?.[1]
      ?.trim()
      .split(/\n +/)

  it('publishes with provenance and the workflow’s identity, without a registry token', () => {
    expect(jobs['publish']).toMatch(/npm publish .*--provenance/)
    expect(text).not.toMatch(/NODE_AUTH_TOKEN|NPM_TOKEN|secrets\./)
  })

  it('gives each job only the permissions that it needs', () => {
    expect(permissionsOf('check')).toEqual(['contents: read'])
    expect(permissionsOf('publish')).toEqual(['contents: read', 'id-token: write'])
    expect(permissionsOf('announce')).toEqual(['contents: write'])
  })

  it('publishes only after the whole check, and runs no install scripts in jobs with an identity', () => {
    for (const job of ['publish', 'announce']) expect(jobs[job]).toContain('npm ci --ignore-scripts')
    expect(jobs['publish']).toContain('needs: check')
    expect(jobs['check']).toContain('bash .ci/run')
  })
})

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}
