/** Runs the code of docs/how-to/custom-adapter.md on the installed tarball: its adapter passes the adapter suite under Node's test runner. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, inject, test } from 'vitest'
import { codeBlocksOf, readPage } from '../docs/pages.js'

const { consumer } = inject('packed')

/** Returns the code of the block that begins with a file's name. */
function codeOf(file: string): string {
  const block = codeBlocksOf(readPage('docs/how-to/custom-adapter.md')).find(({ code }) =>
    code.includes(`// ${file}\n`),
  )
  return block?.code ?? ''
}

/** Runs the page's test on the page's adapter, which `change` may break. */
function runPage(name: string, change = (code: string) => code): { readonly passed: boolean; readonly report: string } {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  const code = `import { toHandler } from './${name}.mjs'\n${codeOf('govalid-adapter.test.ts')}`
  writeFileSync(join(consumer, `${name}.mjs`), ts.transpile(change(codeOf('govalid-adapter.ts')), options))
  writeFileSync(join(consumer, `${name}.test.mjs`), ts.transpile(code, options))
  try {
    const command = ['--test', '--test-reporter=spec', `${name}.test.mjs`]
    return { passed: true, report: execFileSync(process.execPath, command, { cwd: consumer, encoding: 'utf8' }) }
  } catch (error) {
    return { passed: false, report: (error as { readonly stdout: string }).stdout }
  }
}

test('the adapter of the page passes the adapter suite under node:test', () => {
  const { passed, report } = runPage('sound-adapter')
  expect(passed, report).toBe(true)
  expect(report).toContain('✔ a body of 600 kB is handled')
  expect(report).toContain('(skipped: the target has no slowEvent)')
})

test('an adapter that decodes the body fails it', () => {
  const { passed, report } = runPage('decoding-adapter', (code) =>
    code.replace('body: request', "body: (await request.setEncoding('latin1').toArray()).join('')"),
  )
  expect(passed).toBe(false)
  expect(report).toContain('✖ signed bytes that are not text get 200')
  expect(report).toContain('✔ a signed delivery is handled once and gets 200')
})
