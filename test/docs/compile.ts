/** Type-checks snippets against the sources in one program, without writing files or a build. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import entries from '../../config/entries.json' with { type: 'json' }
import { type CodeBlock, ROOT } from './pages.js'

// The settings of a new project, as `tsc --init` writes them, with the types of Node, which its comments recommend.
const folder = mkdtempSync(join(tmpdir(), 'govalid-init-'))
execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--init'], { cwd: folder })
const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
rmSync(folder, { recursive: true })

const { options } = ts.convertCompilerOptionsFromJson(
  {
    ...config.compilerOptions,
    types: ['node'],
    // NestJS needs it.
    experimentalDecorators: true,
    paths: Object.fromEntries(
      Object.entries(entries).map(([subpath, file]) => [`govalid-webhooks${subpath.slice(1)}`, [join(ROOT, file)]]),
    ),
  },
  ROOT,
)

const SNIPPETS = join(ROOT, '.snippets')
const DECLARATIONS = ['types/next-server.d.ts', 'types/nestjs.d.ts', 'examples/runtimes.d.ts']

/** Returns the compiler's errors in snippets as `page:line: message`. Checks only the snippets, not the sources. */
export function compileSnippets(blocks: readonly CodeBlock[]): readonly string[] {
  const snippets = filesOf(blocks, SNIPPETS)
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile, directoryExists } = host
  const textOf = (file: string) => {
    const block = snippets.get(file)
    return block && sourceOf(block)
  }
  // Snippets on a page import each other, and their folders don't exist.
  host.directoryExists = (folder) => folder.startsWith(SNIPPETS) || directoryExists?.(folder) === true
  host.fileExists = (file) => snippets.has(file) || fileExists(file)
  host.readFile = (file) => textOf(file) ?? readFile(file)
  host.getSourceFile = (file, language, ...rest) => {
    const text = textOf(file)
    return text === undefined ? getSourceFile(file, language, ...rest) : ts.createSourceFile(file, text, language)
  }
  const declarations = DECLARATIONS.map((file) => join(ROOT, file)).filter((file) => fileExists(file))
  const program = ts.createProgram([...snippets.keys(), ...declarations], options, host)
  const found = [...snippets.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
  return [...new Set(found)].map((diagnostic) => describe(diagnostic, snippets))
}

/**
 * Returns the snippets by their files: the file that the first line of a snippet names, in the folder of its page, so that it can import its
 * neighbors.
 */
export function filesOf(blocks: readonly CodeBlock[], folder: string): ReadonlyMap<string, CodeBlock> {
  const files = new Map<string, CodeBlock>()
  for (const block of blocks) {
    const { page, line, code } = block
    const name = /^\/\/ ([\w./[\]-]+)\.ts$/.exec(code.split('\n', 1)[0] ?? '')?.[1] ?? line
    const file = join(folder, page, `${name}.ts`)
    files.set(files.has(file) ? `${file}.${line}.ts` : file, block)
  }
  return files
}

/** Returns the text of a snippet with its hidden declarations. */
export function sourceOf({ given, code }: CodeBlock): string {
  return `${given}\n${code}`
}

function describe({ file, start = 0, messageText }: ts.Diagnostic, snippets: ReadonlyMap<string, CodeBlock>): string {
  const message = ts.flattenDiagnosticMessageText(messageText, ' ')
  const block = file && snippets.get(file.fileName)
  if (!file || !block) return `${file?.fileName ?? 'the compiler'}: ${message}`
  const inSnippet = file.getLineAndCharacterOfPosition(start).line
  return `${block.page}:${block.line + inSnippet - block.given.split('\n').length}: ${message}`
}
