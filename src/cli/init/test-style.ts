/** The parts of a generated test that depend on the project's test runner. */
import type { Project } from './detect-project.js'

/** The style of a project's tests. The test file is in the receiver's folder. */
export interface TestStyle {
  /** The import statements of the runner. */
  readonly imports: string
  /** The import path of the receiver. */
  readonly receiver: string
  /** Returns an assertion that the expression `actual` equals the text `expected`. */
  equal(actual: string, expected: string): string
  /** Returns the command that runs a test file. */
  command(test: string): string
}

/** Returns the test style of a project. */
export function styleOf({
  runner,
  isTypeScript,
  extension,
}: Pick<Project, 'runner' | 'isTypeScript' | 'extension'>): TestStyle {
  const isNode = runner === 'node'
  const commands = { vitest: 'npx vitest run', jest: 'npx jest', node: `${isTypeScript ? 'npx tsx' : 'node'} --test` }
  return {
    imports: IMPORTS[runner],
    // ts-jest and babel-jest resolve an import without an extension, but not one with the extension of the compiled file.
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
