/** How a test beside the receiver is written and run. In: a project. Out: the parts of a test that depend on it. */
import type { Project } from './detect-project.js'

/** What every test of a project has of its test runner. */
export interface TestStyle {
  /** The lines that import the runner. */
  readonly imports: string
  /** The receiver's file, as a test beside it imports it. */
  readonly receiver: string
  /** The statement that `actual`, an expression, is this text. */
  equal(actual: string, expected: string): string
  /** The command that runs a test. */
  command(test: string): string
}

/** The style of a project. */
export function styleOf({
  runner,
  isTypeScript,
  extension,
}: Pick<Project, 'runner' | 'isTypeScript' | 'extension'>): TestStyle {
  const isNode = runner === 'node'
  const commands = { vitest: 'npx vitest run', jest: 'npx jest', node: `${isTypeScript ? 'npx tsx' : 'node'} --test` }
  return {
    imports: IMPORTS[runner],
    // ts-jest and babel-jest resolve a file without its extension, and not one by the extension it will be compiled to.
    receiver: runner === 'jest' && isTypeScript ? './receiver' : `./receiver.${extension === 'mjs' ? 'mjs' : 'js'}`,
    equal: (actual, expected) =>
      isNode ? `assert.equal(${actual}, '${expected}')` : `expect(${actual}).toBe('${expected}')`,
    command: (test) => `${commands[runner]} ${test}`,
  }
}

const IMPORTS: Readonly<Record<Project['runner'], string>> = {
  vitest: "import { expect, test } from 'vitest'\n",
  jest: '',
  node: "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\n",
}
