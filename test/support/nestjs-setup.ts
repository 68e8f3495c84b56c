/**
 * Global setup of the NestJS tests: installs each version of NestJS into its fixture if it is missing, copies the built package (dist/) next to
 * it, and compiles the app under test: as ES modules for NestJS 12, and as CommonJS for NestJS 11.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import type { TestProject } from 'vitest/node'

const ROOT = join(import.meta.dirname, '../..')
const VERSIONS = { nest12: ts.ModuleKind.ESNext, nest11: ts.ModuleKind.CommonJS }

declare module 'vitest' {
  interface ProvidedContext {
    /** The compiled app by version of NestJS. */
    nestApps: Readonly<Record<'nest12' | 'nest11', string>>
  }
}

export default function setup(project: TestProject): void {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('dist/ is missing. Run `npm run build` before the NestJS tests.')
  project.provide('nestApps', { nest12: prepare('nest12'), nest11: prepare('nest11') })
}

function prepare(version: keyof typeof VERSIONS): string {
  const fixture = join(ROOT, 'test/fixtures', version)
  if (!existsSync(join(fixture, 'node_modules/@nestjs/core'))) {
    const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: fixture, encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm ci failed in ${fixture}\n${stderr}`)
  }
  const installed = join(fixture, 'node_modules/govalid-webhooks')
  rmSync(installed, { recursive: true, force: true })
  for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(installed, part), { recursive: true })
  const isEsm = VERSIONS[version] === ts.ModuleKind.ESNext
  const app = join(fixture, '.acceptance', isEsm ? 'app.mjs' : 'app.cjs')
  mkdirSync(dirname(app), { recursive: true })
  writeFileSync(app, compile(join(ROOT, 'test/nestjs/app.ts'), VERSIONS[version]))
  return app
}

function compile(file: string, module: ts.ModuleKind): string {
  const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true }
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module, esModuleInterop: true, ...decorators }
  return ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions }).outputText
}
