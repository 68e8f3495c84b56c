/**
 * `npm install` of the tarball next to old versions of frameworks and clients. The versions are empty packages with the right name and
 * number, so that npm resolves them without the network.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, inject, it } from 'vitest'
import { distFiles, readBuilt } from './built-files.js'
import { manifest } from './manifest.js'

const OLD = {
  zod: '3.25.76',
  next: '14.2.33',
  'better-sqlite3': '11.10.0',
  redis: '4.7.1',
  ioredis: '4.30.1',
  bullmq: '4.18.3',
  'pg-boss': '10.3.3',
  fastify: '3.29.5',
  express: '3.21.2',
  pg: '7.18.2',
}

const folder = mkdtempSync(join(tmpdir(), 'govalid-install-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Packs packages without files and returns what installs them. */
function emptyPackages(versions: Readonly<Record<string, string>>): [string, string][] {
  const packages = Object.entries(versions).map(([name, version]) => ({
    name,
    version,
    path: join(folder, `${name}-${version}`),
  }))
  for (const { name, version, path } of packages) {
    mkdirSync(path)
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version }))
  }
  execFileSync('npm', ['pack', '--silent', ...packages.map(({ path }) => path)], { cwd: folder })
  return packages.map(({ name, path }) => [name, `file:${path}.tgz`])
}

/** Installs the tarball next to these packages and returns the folders of npm's lockfile. */
function installNextTo(others: Readonly<Record<string, string>>): string[] {
  const project = mkdtempSync(join(folder, 'project-'))
  const dependencies = Object.fromEntries([
    ['govalid-webhooks', `file:${inject('packed').tarball}`],
    ...emptyPackages(others),
  ])
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, dependencies }))
  // An empty cache, so that npm knows no other version.
  const offline = ['--package-lock-only', '--offline', '--cache', join(folder, 'cache')]
  execFileSync('npm', ['install', ...offline, '--strict-peer-deps', '--no-audit', '--no-fund'], {
    cwd: project,
    stdio: 'pipe',
  })
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'))
  return Object.keys(packages)
    .filter((path) => path !== '')
    .sort()
}

it('npm installs the package next to old versions of every framework and client', () => {
  const names = ['govalid-webhooks', ...Object.keys(OLD)].map((name) => `node_modules/${name}`)
  expect(
    installNextTo(OLD)
      .filter((path) => path !== '')
      .sort(),
  ).toEqual(names.sort())
})

it('npm installs the package next to release candidates', () => {
  expect(installNextTo({ next: '17.0.0-canary.1', zod: '5.0.0-beta.1' })).toContain('node_modules/govalid-webhooks')
})

it.each([
  { peers: ['zod'], use: "require('govalid-webhooks/schemas')", message: 'govalid-webhooks/schemas needs zod 4' },
  {
    peers: ['next'],
    use: "require('govalid-webhooks/next').toHandler({ receive() {} })",
    message: 'toHandler needs Next.js 15.1 or newer',
  },
  {
    peers: ['@nestjs/common', '@nestjs/core'],
    // The HttpAdapterHost of NestJS 10 has no init$.
    use: "new (require('govalid-webhooks/nestjs').GoValidWebhooksModule)({}, '/webhooks/govalid', {}, { httpAdapter: {} })",
    message: 'GoValidWebhooksModule needs NestJS 11 or newer',
  },
])('the message for $peers that are too old names the version and the fix', ({ peers, use, message }) => {
  const project = mkdtempSync(join(folder, 'old-'))
  const modules = join(project, 'node_modules')
  cpSync(join(inject('packed').consumer, 'node_modules/govalid-webhooks'), join(modules, 'govalid-webhooks'), {
    recursive: true,
  })
  for (const peer of peers) {
    mkdirSync(join(modules, peer), { recursive: true })
    const text = 'exports.NextResponse = class {}\nexports.Inject = exports.Module = () => () => {}'
    for (const file of ['index.js', 'server.js']) writeFileSync(join(modules, peer, file), text)
  }
  const { stderr } = spawnSync(process.execPath, ['--eval', use], { cwd: project, encoding: 'utf8' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('Run: npm install')
})

it('the peers are exactly the packages that the built files import, in any version', () => {
  const library = distFiles.filter((file) => /\.(c?js|d\.c?ts)$/.test(file) && file !== 'cli.js')
  const importing = /(?:from|require\(|import\()\s*['"]([@\w][^'":]*)['"]/g
  const code = library.map((file) => readBuilt(file).replace(/\/\*\*[\s\S]*?\*\//g, ''))
  const imported = code.flatMap((text) =>
    [...text.matchAll(importing)].map(([, specifier = '']) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]),
  )
  const peers = Object.fromEntries([...new Set(imported)].sort().map((name) => [name, '*']))
  expect(manifest.peerDependencies).toEqual(peers)
  const optional = Object.keys(peers).map((name) => [name, { optional: true }])
  expect(manifest.peerDependenciesMeta).toEqual(Object.fromEntries(optional))
})
