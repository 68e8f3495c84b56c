/** Creates user projects, with the packed package installed, for `init` and the type checks. */
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { inject } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** Creates a project with these dependencies, linked from this repository. */
export function project(dependencies: readonly string[], more: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(join(inject('packed').consumer, 'project-'))
  const listed = Object.fromEntries(dependencies.map((name) => [name, '*']))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a-project', dependencies: listed, ...more }))
  const modules = join(folder, 'node_modules')
  for (const name of [...dependencies, '@types/node', '@types/express']) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(modules, name)]
    if (!existsSync(from) || existsSync(to)) continue
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(from, to)
  }
  return folder
}

/** Adds a `tsconfig.json` to a project and returns its folder. */
export function typeScript(folder: string): string {
  const compilerOptions = {
    target: 'es2022',
    module: 'preserve',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['webhooks', 'src', 'app'] }))
  return folder
}

/** Parsed declarations, which most projects share: parsing them takes longer than checking a project. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** Type-checks a project as `tsc -p` does, and returns the compiler's messages. */
export function compile(folder: string): readonly string[] {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (file, language, ...rest) => {
    if (!file.endsWith('.d.ts')) return getSourceFile(file, language, ...rest)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, language, ...rest))
    return parsed.get(file)
  }
  const found = [...errors, ...ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options, host))]
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}
