/**
 * Global setup of the Next.js tests: builds the app under test for production, once per version of Next.js, with the built package
 * (dist/) installed. The build is next to that version's node_modules and is reused while its sources are unchanged.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import type { TestProject } from 'vitest/node'
import { VARIANT_NAMES } from '../acceptance/variants.js'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLE = join(ROOT, 'examples/nextjs')
const NEXT_15 = join(ROOT, 'test/fixtures/next15')

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of each build, by version of Next.js. Start `next` there. */
    nextBuilds: { readonly next16: string; readonly next15: string }
  }
}

export default function setup(project: TestProject): void {
  if (!existsSync(join(ROOT, 'dist')))
    throw new Error('dist/ is missing. Run `npm run build` before the Next.js tests.')
  for (const installation of [EXAMPLE, NEXT_15]) requireNext(installation)
  const next16 = buildNext16()
  const next15 = build(NEXT_15, (folder) => {
    copyCompiled(join(EXAMPLE, 'app/webhooks/govalid/route.ts'), join(folder, 'app/webhooks/govalid/route.js'))
    renameSync(join(folder, 'proxy.js'), join(folder, 'middleware.js'))
  })
  project.provide('nextBuilds', { next16, next15 })
}

/** Builds the app under test with Next.js 16 and returns the folder to start `next` in. */
export function buildNext16(): string {
  return build(EXAMPLE, (folder) => {
    // The example stays TypeScript, so that Next.js itself compiles it and checks its types.
    cpSync(join(EXAMPLE, 'app'), join(folder, 'app'), { recursive: true })
    cpSync(join(EXAMPLE, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  })
}

/** Whether Next.js 16 is installed. */
export function hasNext16(): boolean {
  return existsSync(join(EXAMPLE, 'node_modules/next/package.json'))
}

function build(installation: string, finish: (folder: string) => void): string {
  refreshPackage(installation)
  const folder = join(installation, '.acceptance/next/app')
  const fingerprint = fingerprintOf(installation)
  const built = join(installation, '.acceptance/built')
  if (existsSync(built) && readFileSync(built, 'utf8') === fingerprint) return folder
  rmSync(join(installation, '.acceptance'), { recursive: true, force: true })
  copySources(join(installation, '.acceptance'))
  writeRoutes(folder)
  finish(folder)
  runNextBuild(installation, folder)
  writeFileSync(built, fingerprint)
  return folder
}

function runNextBuild(installation: string, folder: string): void {
  const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }
  const next = join(installation, 'node_modules/next/dist/bin/next')
  const run = spawnSync(process.execPath, [next, 'build', folder], { cwd: installation, env, encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`next build failed in ${folder}\n${run.stdout}${run.stderr}`)
}

function requireNext(installation: string): void {
  const wanted = JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')).dependencies.next
  const manifest = join(installation, 'node_modules/next/package.json')
  const found = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'nothing'
  if (found === wanted) return
  throw new Error(
    `Next.js ${wanted} is not installed in ${installation} (found: ${found}). Run \`npm run next:install\` first.`,
  )
}

/** Replaces the installed package with the current build. */
function refreshPackage(installation: string): void {
  const installed = join(installation, 'node_modules/govalid-webhooks')
  rmSync(installed, { recursive: true, force: true })
  cpSync(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
}

/** A hash of every file that a build depends on. */
function fingerprintOf(installation: string): string {
  const sources = ['dist/**', 'test/next/app/**', 'test/acceptance/{variants,recorder}.ts', 'examples/nextjs/app/**']
  const hash = createHash('sha256').update(readFileSync(join(installation, 'package-lock.json')))
  hash.update(readFileSync(import.meta.filename))
  for (const file of sources.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort()) {
    if (/\.[a-z]+$/.test(file)) hash.update(file).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** Copies the app and its receivers as JavaScript, so that the import `./lab.js` resolves to a file with every bundler. */
function copySources(target: string): void {
  const files = globSync(['next/app/**/*.{ts,mjs}', 'acceptance/{variants,recorder}.ts'], { cwd: join(ROOT, 'test') })
  for (const file of files) copyCompiled(join(ROOT, 'test', file), join(target, file.replace(/\.ts$/, '.js')))
}

function copyCompiled(from: string, to: string): void {
  const text = readFileSync(from, 'utf8')
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, from.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text)
}

/** Writes one route per receiver under test, as a user would write it. */
function writeRoutes(folder: string): void {
  for (const name of VARIANT_NAMES) {
    mkdirSync(join(folder, 'app/webhooks', name), { recursive: true })
    const route = `import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../../lab.js'

export const POST = toHandler(lab.receiver('${name}'))
`
    writeFileSync(join(folder, 'app/webhooks', name, 'route.js'), route)
  }
}
