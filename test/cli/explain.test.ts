/** The `explain` command: prints the sections of docs/reference/errors.md. */
import { describe, expect, it } from 'vitest'
import { readSections } from '../../scripts/error-sections.mjs'
import { readPage } from '../docs/pages.js'
import { runCli } from '../support/run-cli.js'

const sections = readSections(readPage('docs/reference/errors.md').lines.join('\n'))

describe('explain <code>', () => {
  it.each(sections.map(({ code }) => code))('prints the whole section of %s without markup', async (code) => {
    const { code: exit, stdout, stderr } = await runCli(['explain', code])
    expect([exit, stderr]).toEqual([0, ''])
    expect(stdout).not.toMatch(/\*\*|\]\(|```/)
    expect(stdout.match(/^(Meaning|Cause|Fix): /gm)).toEqual(['Meaning: ', 'Cause: ', 'Fix: '])
    const { text = '' } = sections.find((section) => section.code === code) ?? {}
    const words = (markdown: string) =>
      markdown
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll(/\*\*|```text|```|^ *- /gm, '')
        .split(/\s+/)
    expect(words(stdout)).toEqual(expect.arrayContaining(words(text).filter((word) => word !== '')))
  })

  it('fits into a terminal, except for the log lines', async () => {
    const { stdout } = await runCli(['explain', 'store_unsuitable'])
    const tooLong = stdout.split('\n').filter((line) => line.length > 80 && !/^ {2}(\[|WebhookError)/.test(line))
    expect(tooLong).toEqual([])
  })

  it('names the pages of the package to read', async () => {
    const { stdout } = await runCli(['explain', 'signature_mismatch'])
    expect(stdout).toContain('node_modules/govalid-webhooks/docs/reference/cli.md\n')
    expect(stdout).toContain('node_modules/govalid-webhooks/docs/concepts/open-questions.md\n')
  })

  it.each([
    ['a misspelled code', 'signature_mismach', 'Did you mean "signature_mismatch"?'],
    ['a code like no other', 'nonsense', 'To list all codes, run explain without a code.'],
    ['a finding of verify', 'body_newline', 'is a finding of the command verify'],
  ])('exits with 2 for %s', async (_, name, message) => {
    const { code, stdout, stderr } = await runCli(['explain', name])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
  })
})

describe('explain without a code', () => {
  it('lists every code once, with its meaning', async () => {
    const { code, stdout } = await runCli(['explain'])
    expect(code).toBe(0)
    const rows = [...stdout.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name)
    expect(rows).toEqual(sections.map((section) => section.code))
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
