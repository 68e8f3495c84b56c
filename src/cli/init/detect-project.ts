/** Detects the framework, language, test runner and package manager of a project. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../events/shapes.js'
import { UsageError } from '../terminal/usage-error.js'
import { FACTS, FRAMEWORKS, type Framework, OTHER_FRAMEWORKS } from './frameworks.js'

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

const LOCKFILES: Readonly<Record<string, string>> = {
  'pnpm-lock.yaml': 'pnpm add',
  'yarn.lock': 'yarn add',
  'bun.lock': 'bun add',
  'bun.lockb': 'bun add',
}

/**
 * Detects the project in a folder. `framework` overrides the detected framework.
 *
 * @throws UsageError if the folder has no readable package.json, or if its framework is unknown.
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
  const selected = framework ?? findFramework(dependencies, has)
  const { needs = [], isBuilt } = FACTS[selected]
  return {
    folder,
    framework: selected,
    isTypeScript,
    // Frameworks with a build treat .js files as modules regardless of the package's type, and some don't support .mjs routes.
    extension: isTypeScript ? 'ts' : isModule || isBuilt ? 'js' : 'mjs',
    runner: findRunner(dependencies, isTypeScript || isModule),
    install: (lockfile && LOCKFILES[lockfile]) ?? 'npm install',
    missing: ['govalid-webhooks', ...needs].filter((name) => !dependencies.has(name)),
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

function findFramework(dependencies: ReadonlySet<string>, has: (file: string) => boolean): Framework {
  const isInstalled = (sign: string | readonly string[]) => [sign].flat().every((name) => dependencies.has(name))
  const found = FRAMEWORKS.find((name) => FACTS[name].packages?.some(isInstalled) || FACTS[name].files?.some(has))
  if (found === 'next' && !has('app') && !has('src/app') && (has('pages') || has('src/pages'))) return 'next-pages'
  if (found !== undefined) return found
  const other = OTHER_FRAMEWORKS.find((name) => dependencies.has(name))
  if (other === undefined) return 'node'
  throw new UsageError(
    `${other} is unknown to init, so nothing was written. If it passes on a Request, run: npx govalid-webhooks init --framework fetch. ` +
      "If it passes on Node's request and response, run: npx govalid-webhooks init --framework node.",
  )
}

/** Selects the test runner. Without TypeScript or `"type": "module"`, jest can't load the module syntax of the new files. */
function findRunner(dependencies: ReadonlySet<string>, supportsModules: boolean): Project['runner'] {
  if (dependencies.has('vitest')) return 'vitest'
  return dependencies.has('jest') && supportsModules ? 'jest' : 'node'
}
