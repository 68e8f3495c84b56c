/** What docs/cli.md and docs/testing.md say of the command line and of findings is what there is. */
import { describe, expect, it } from 'vitest'
import { FINDING_CODES } from '../../src/testing/explain/findings.js'
import { readPage } from '../docs/pages.js'
import { runCli } from '../support/command-line.js'

const text = readPage('docs/cli.md').lines.join('\n')
const COMMANDS = [
  ...['init', 'listen', 'send', 'verify', 'doctor', 'simulate'].map((command) => [command]),
  ...['list', 'create', 'update', 'enable', 'disable', 'delete'].map((action) => ['endpoints', action]),
]

/** The long options that a command's help lists. */
async function optionsOf(command: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await runCli([...command, '--help'])
  return [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = '']) => option)
}

describe('docs/cli.md', () => {
  it.each(COMMANDS)('tells of every option of %s %s', async (...command) => {
    const options = (await optionsOf(command)).filter((option) => option !== '--help')
    expect(options.length).toBeGreaterThan(1)
    expect(options.filter((option) => !new RegExp(`${option}(?![a-z-])`).test(text))).toEqual([])
  })

  it('tells of no option that does not exist', async () => {
    const existing = new Set((await Promise.all(COMMANDS.map(optionsOf))).flat())
    const told = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option)
    // Those of curl and of node, in what is printed.
    expect(told.filter((option) => !existing.has(option) && !['--data-binary', '--test'].includes(option))).toEqual([])
  })
})

describe('docs/testing.md', () => {
  it('lists every finding of explain, in its order', () => {
    const rows = readPage('docs/testing.md').lines.filter((line) => line.startsWith('| `'))
    expect(rows.map((row) => /`(\w+)`/.exec(row)?.[1])).toEqual(FINDING_CODES)
  })
})
