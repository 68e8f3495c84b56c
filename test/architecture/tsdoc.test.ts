/** The public API is documented: every export has a summary, and every code that a function throws has a `@throws`. */
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import entries from '../../config/entries.json' with { type: 'json' }
import { codesOf, findUndocumented } from './documentation.js'

const ROOT = join(import.meta.dirname, '../..')
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2022.d.ts'],
  types: ['node'],
  skipLibCheck: true,
  noEmit: true,
}

describe('the public exports', () => {
  const files = Object.values(entries).map((file) => join(ROOT, file))
  const program = ts.createProgram(files, OPTIONS)
  const codes = codesOf(program, join(ROOT, 'src/errors.ts'), 'ErrorCode')

  it('have a summary and a @throws for every code', () => {
    expect(findUndocumented(program, files, codes)).toEqual([])
  })

  it('throw codes of the type ErrorCode', () => {
    expect(codes).toContain('signature_mismatch')
  })
})

/** Runs the check on one planted source. */
function faultsIn(text: string): string[] {
  const file = join(ROOT, 'src/planted.ts')
  const host = ts.createCompilerHost(OPTIONS)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.readFile = (name) => (name === file ? text : readFile(name))
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...rest)
  const program = ts.createProgram([file], { ...OPTIONS, types: [] }, host)
  return findUndocumented(program, [file], new Set(['secret_blank', 'stale']))
}

const THROWS = "throw new Error('secret_blank')"

describe('the check of the documentation', () => {
  it.each([
    ['a documented constant', '/** One. */\nexport const one = 1'],
    [
      'a documented throw',
      `/**\n * Does.\n * @throws \`secret_blank\` when blank.\n */\nexport function work() { ${THROWS} }`,
    ],
    [
      'an undocumented function that is not exported',
      `function work() { ${THROWS} }\n/** One. */\nexport const one = 1`,
    ],
    ['a throw that is caught', `/** Does. */\nexport function work() { try { ${THROWS} } catch { return 1 } }`],
    ['a throw in a callback', `/** Does. */\nexport function work() { return () => { ${THROWS} } }`],
    [
      'a throw documented on an overload',
      `/**\n * Does.\n * @throws \`secret_blank\`\n */\nexport function work(): void\nexport function work(): void { ${THROWS} }`,
    ],
    [
      'a throw documented after a link',
      `/**\n * Does.\n * @throws {@link Error} \`stale\`, or\n * \`secret_blank\` when blank.\n */\nexport function work() { ${THROWS} }`,
    ],
    [
      'a throw documented by a linked function',
      `/**\n * One.\n * @throws \`secret_blank\`\n */\nfunction one() { ${THROWS} }\n/**\n * Does.\n * @throws {@link Error} the codes of {@link one}.\n */\nexport function work() { one() }`,
    ],
  ])('accepts %s', (_, text) => {
    expect(faultsIn(text)).toEqual([])
  })

  it.each([
    ['an export without a summary', 'export const one = 1', 'one has no summary'],
    ['a type without a summary', 'export interface One {}', 'One has no summary'],
    ['a property without a summary', '/** One. */\nexport interface One { two: string }', 'One.two has no summary'],
    ['a method without a summary', '/** One. */\nexport interface One { two(): string }', 'One.two has no summary'],
    ['a block with tags and no summary', '/** @internal */\nexport const one = 1', 'one has no summary'],
    [
      'a throw that is not documented',
      `/** Does. */\nexport function work() { ${THROWS} }`,
      'work throws secret_blank',
    ],
    [
      'a @throws with a different code',
      `/**\n * Does.\n * @throws \`stale\`\n */\nexport const work = () => { ${THROWS} }`,
      'work throws secret_blank',
    ],
    [
      'a rejection',
      "/** Does. */\nexport function work() { return Promise.reject(new Error('stale')) }",
      'work throws stale',
    ],
    [
      'a throw in a called function',
      `function deep() { ${THROWS} }\n/** Does. */\nexport function work() { deep() }`,
      'work throws secret_blank',
    ],
    [
      'a code that does not exist',
      '/**\n * Does.\n * @throws `secret_blnk`\n */\nexport function work() {}',
      'secret_blnk, which is not a code',
    ],
    [
      'a code in another tag',
      `/**\n * Does.\n * @throws \`stale\`\n * @example \`secret_blank\`\n */\nexport function work() { ${THROWS} }`,
      'work throws secret_blank',
    ],
  ])('refuses %s', (_, text, fault) => {
    expect(faultsIn(text).join('\n')).toContain(fault)
  })
})
