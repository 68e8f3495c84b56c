/** Detects the framework, language, test runner and package manager of a project. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../events/shapes.js'
import { UsageError } from '../terminal/usage-error.js'

/** The supported frameworks. `node` means no framework. */
export const FRAMEWORKS = ['next', 'hono', 'workers', 'fastify', 'express', 'node'] as const

/** A supported framework. */
export type Framework = (typeof FRAMEWORKS)[number]

/** The detected properties of a project. */
export interface Project {
  readonly folder: string
  readonly framework: Framework
  readonly isTypeScript: boolean
  /** The extension of the new files. */
  readonly extension: 'ts' | 'js' | 'mjs'
  readonly runner: 'vitest' | 'jest' | 'node'
  /** The package manager's install command, such as `npm install`. */
  readonly install: string
  /** The packages to install: this package and the endpoint's imports, unless they are already dependencies. */
  readonly missing: readonly string[]
}

/** The dependencies that identify each framework. Order matters, because a Next.js project may also depend on express. */
const SIGNS: Readonly<Record<Exclude<Framework, 'node'>, readonly string[]>> = {
  next: ['next'],
  hono: ['hono'],
  workers: ['wrangler', '@cloudflare/workers-types', '@cloudflare/vite-plugin'],
  fastify: ['fastify'],
  express: ['express'],
}

/** The packages that each endpoint needs. wrangler isn't listed, because `npx` downloads it. */
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

/**
 * Detects the project in a folder. `framework` overrides the detected framework.
 *
 * @throws UsageError if the folder has no readable package.json.
 */
export function detectProject(folder: string, framework: Framework | undefined): Project {
  const manifest = readManifest(folder)
  const dependencies = new Set(
    ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((kind) => namesIn(manifest[kind])),
  )
  const has = (file: string) => existsSync(join(folder, file))
  const isTypeScript = has('tsconfig.json') || dependencies.has('typescript')
  const isModule = manifest['type'] === 'module'
  const lockfile = Object.keys(LOCKFILES).find(has)
  const selected = framework ?? findFramework(dependencies)
  return {
    folder,
    framework: selected,
    isTypeScript,
    // Next.js treats .js files as modules regardless of the package's type, and doesn't support .mjs routes.
    extension: isTypeScript ? 'ts' : isModule || selected === 'next' ? 'js' : 'mjs',
    runner: findRunner(dependencies, isTypeScript || isModule),
    install: (lockfile && LOCKFILES[lockfile]) ?? 'npm install',
    missing: ['govalid-webhooks', ...NEEDED[selected]].filter((name) => !dependencies.has(name)),
  }
}

function readManifest(folder: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(join(folder, 'package.json'), 'utf8')
  } catch {
    throw new UsageError(
      'No package.json in this folder. Run the command in the folder of your project, or run `npm init -y` first.',
    )
  }
  try {
    const manifest: unknown = JSON.parse(text)
    if (isObject(manifest)) return manifest
  } catch {
    // Reported below, like valid JSON that isn't an object.
  }
  throw new UsageError("The package.json in this folder isn't valid JSON. Fix it and run the command again.")
}

function namesIn(dependencies: unknown): readonly string[] {
  return isObject(dependencies) ? Object.keys(dependencies) : []
}

function findFramework(dependencies: ReadonlySet<string>): Framework {
  const found = Object.entries(SIGNS).find(([, signs]) => signs.some((sign) => dependencies.has(sign)))
  return (found?.[0] as Framework | undefined) ?? 'node'
}

/** Selects the test runner. Without TypeScript or `"type": "module"`, jest can't load the module syntax of the new files. */
function findRunner(dependencies: ReadonlySet<string>, supportsModules: boolean): Project['runner'] {
  if (dependencies.has('vitest')) return 'vitest'
  return dependencies.has('jest') && supportsModules ? 'jest' : 'node'
}
