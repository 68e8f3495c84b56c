/**
 * Every TypeScript snippet on the pages under TypeScript 7, with the settings that `tsc --init` writes and the types of the built package.
 * test/docs/snippets.test.ts compiles them with the project's TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, expect, it } from 'vitest'
import { filesOf, sourceOf } from '../../docs/compile.js'
import { codeBlocksOf, readPages } from '../../docs/pages.js'
import { compilerPath } from '../../support/compilers-setup.js'
import { entryFiles, outputName, ROOT } from '../manifest.js'

// In the repository, so that the snippets find the types of frameworks and clients.
const folder = mkdtempSync(join(ROOT, '.snippets-'))
afterAll(() => rmSync(folder, { recursive: true }))

const WRONG = { page: 'wrong.md', language: 'ts', line: 1, given: '', code: 'const text: string = 1\nexport { text }' }

function tsc(...args: readonly string[]): string {
  const { stdout } = spawnSync(process.execPath, [compilerPath('typescript70'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return stdout.trim()
}

it('TypeScript 7 compiles every snippet, and reports exactly a wrong one', () => {
  const blocks = readPages()
    .flatMap(codeBlocksOf)
    .filter(({ language, from }) => language === 'ts' && from === undefined)
  expect(blocks.length).toBeGreaterThan(50)
  for (const [file, block] of filesOf([...blocks, WRONG], folder)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, sourceOf(block))
  }
  tsc('--init')
  const { config } = ts.parseConfigFileTextToJson('tsconfig.json', readFileSync(join(folder, 'tsconfig.json'), 'utf8'))
  const types = Object.keys(entryFiles).map((subpath) => [
    `govalid-webhooks${subpath.slice(1)}`,
    [join(ROOT, 'dist', `${outputName(subpath)}.d.ts`)],
  ])
  const compilerOptions = { ...config.compilerOptions, types: ['node'], noEmit: true, paths: Object.fromEntries(types) }
  const declarations = ['../types/next-server.d.ts', '../types/nestjs.d.ts', '../examples/runtimes.d.ts']
  const include = ['**/*.ts', ...declarations]
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include, exclude: [] }))
  expect(tsc('--pretty', 'false').split('\n')).toEqual([
    expect.stringMatching(/^wrong\.md\/1\.ts\(2,7\): error TS2322/),
  ])
})
