/** What kind of project a folder holds: framework, language, test runner, package manager. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../events/shapes.js'
import { UsageError } from '../terminal/usage-error.js'

/** The frameworks an endpoint is written for. */
export const FRAMEWORKS = ['next', 'hono', 'workers', 'fastify', 'express', 'node'] as const

/** One of them. */
export type Framework = (typeof FRAMEWORKS)[number]

/** What is known of a project. */
export interface Project {
  readonly folder: string
  readonly framework: Framework
  readonly isTypeScript: boolean
  /** The extension of the files that are written. */
  readonly extension: 'ts' | 'js' | 'mjs'
  readonly runner: 'vitest' | 'jest' | 'node'
  readonly install: string
  /** What has to be installed: this package, and what the endpoint imports, where they are not among the dependencies yet. */
  readonly missing: readonly string[]
}

/** The dependency that gives each framework away, the most telling first: a Next.js project may also have express. */
const SIGNS: Readonly<Record<Exclude<Framework, 'node'>, readonly string[]>> = {
  next: ['next'],
  hono: ['hono'],
  workers: ['wrangler', '@cloudflare/workers-types', '@cloudflare/vite-plugin'],
  fastify: ['fastify'],
  express: ['express'],
}

/** What the endpoint of each imports or is started with. `npx` fetches wrangler by itself. */
const NEEDED: Readonly<Record<Framework, readonly string[]>> = {
  next: ['next', 'react', 'react-dom'],
  hono: ['hono', '@hono/node-server'],
  workers: [],
  fastify: ['fastify'],
  express: ['express'],
  node: [],
}

const LOCKFILES: Readonly<Record<string, string>> = {
  'pnpm-lock.yaml': 'pnpm add',
  'yarn.lock': 'yarn add',
  'bun.lock': 'bun add',
  'bun.lockb': 'bun add',
}

/** Looks at a folder; `framework` is taken in place of the one that is found. */
export function detectProject(folder: string, framework: Framework | undefined): Project {
  const manifest = readManifest(folder)
  const dependencies = new Set(
    ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((kind) => namesIn(manifest[kind])),
  )
  const has = (file: string) => existsSync(join(folder, file))
  const isTypeScript = has('tsconfig.json') || dependencies.has('typescript')
  const isModule = manifest['type'] === 'module'
  const lockfile = Object.keys(LOCKFILES).find(has)
  const found = framework ?? findFramework(dependencies)
  return {
    folder,
    framework: found,
    isTypeScript,
    // Next.js compiles modules in .js files whatever the package's type is, and knows no .mjs route.
    extension: isTypeScript ? 'ts' : isModule || found === 'next' ? 'js' : 'mjs',
    runner: findRunner(dependencies, isTypeScript || isModule),
    install: (lockfile && LOCKFILES[lockfile]) ?? 'npm install',
    missing: ['govalid-webhooks', ...NEEDED[found]].filter((name) => !dependencies.has(name)),
  }
}

function readManifest(folder: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(join(folder, 'package.json'), 'utf8')
  } catch {
    throw new UsageError(
      'There is no package.json here. Run it in the folder of your project, or run `npm init -y` first.',
    )
  }
  try {
    const manifest: unknown = JSON.parse(text)
    if (isObject(manifest)) return manifest
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new UsageError('The package.json here cannot be read as JSON.')
}

function namesIn(dependencies: unknown): readonly string[] {
  return isObject(dependencies) ? Object.keys(dependencies) : []
}

function findFramework(dependencies: ReadonlySet<string>): Framework {
  const found = Object.entries(SIGNS).find(([, signs]) => signs.some((sign) => dependencies.has(sign)))
  return (found?.[0] as Framework | undefined) ?? 'node'
}

/** jest takes modules of TypeScript and of packages of type module; elsewhere Node's own runner does. */
function findRunner(dependencies: ReadonlySet<string>, takesModules: boolean): Project['runner'] {
  if (dependencies.has('vitest')) return 'vitest'
  return dependencies.has('jest') && takesModules ? 'jest' : 'node'
}
