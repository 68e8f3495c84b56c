/** The docs list exactly the options of the command line and the findings of `explain`. */
import { describe, expect, it } from 'vitest'
import { FINDING_CODES } from '../../src/testing/explain/findings.js'
import { readPage } from '../docs/pages.js'
import { runCli } from '../support/run-cli.js'

const text = readPage('docs/reference/cli.md').lines.join('\n')
const COMMANDS = [
  ...['init', 'listen', 'send', 'verify', 'doctor', 'simulate'].map((command) => [command]),
  ...['list', 'create', 'update', 'enable', 'disable', 'delete'].map((action) => ['endpoints', action]),
]

/** Returns the long options in a command's help. */
async function optionsOf(command: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await runCli([...command, '--help'])
  return [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = '']) => option)
}

describe('docs/reference/cli.md', () => {
  it.each(COMMANDS)('describes every option of %s %s', async (...command) => {
    const options = (await optionsOf(command)).filter((option) => option !== '--help')
    expect(options.length).toBeGreaterThan(1)
    expect(options.filter((option) => !new RegExp(`${option}(?![a-z-])`).test(text))).toEqual([])
  })

  it('mentions only options that exist', async () => {
    const existing = new Set((await Promise.all(COMMANDS.map(optionsOf))).flat())
    const mentioned = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option)
    // The two exceptions are options of curl and node in sample output.
    expect(
      mentioned.filter((option) => !existing.has(option) && !['--data-binary', '--test'].includes(option)),
    ).toEqual([])
  })
})

describe('docs/reference/testing.md', () => {
  it('lists the findings of explain in order', () => {
    const rows = readPage('docs/reference/testing.md').lines.filter((line) => line.startsWith('| `'))
    expect(rows.map((row) => /`(\w+)`/.exec(row)?.[1])).toEqual(FINDING_CODES)
  })
})
