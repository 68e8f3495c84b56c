/** Checks that every command on the pages exists, with all its options. */
import { describe, expect, it } from 'vitest'
import { type Page, readPages } from '../docs/pages.js'
import { runCli } from '../support/run-cli.js'

/** Returns the commands of a page, in code blocks and inline, with their line numbers. */
function commandsOn({ lines }: Page): readonly { readonly line: number; readonly words: readonly string[] }[] {
  return lines.flatMap((text, index) =>
    [...text.matchAll(/npx (?:-y )?govalid-webhooks ([^`|;&#]+)/g)].map(([, command = '']) => ({
      line: index + 1,
      words: command
        .replace(/'[^']*'|"[^"]*"|\(.*/g, '…')
        .trim()
        .split(/\s+/),
    })),
  )
}

const helps = new Map<string, Promise<string>>()
function helpOf(command: string): Promise<string> {
  const known = helps.get(command) ?? runCli([...command.split(' '), '--help']).then(({ stdout }) => stdout)
  helps.set(command, known)
  return known
}

/** Returns the first word that the command line doesn't know. */
async function unknownIn(words: readonly string[]): Promise<string | undefined> {
  const [name = '', action = ''] = words
  if (name.startsWith('-')) return (await helpOf('')).includes(name) ? undefined : name
  const command = name === 'endpoints' && /^[a-z]+$/.test(action) ? `${name} ${action}` : name
  const help = await helpOf(command)
  if (!help.startsWith(`Usage: govalid-webhooks ${command} `)) return command
  return words
    .filter((word) => /^--[a-z]/.test(word))
    .find((option) => !new RegExp(`^ .*${option}\\b(?!-)`, 'm').test(help))
}

describe('the commands on', () => {
  const pages = readPages().filter((page) => commandsOn(page).length > 0)

  it.each(pages.map((page) => [page.path, page] as const))('%s exist', async (_path, page) => {
    const unknown: string[] = []
    for (const { line, words } of commandsOn(page)) {
      const word = await unknownIn(words)
      if (word !== undefined) unknown.push(`line ${line}: ${word}`)
    }
    expect(unknown).toEqual([])
  })

  it('a page are found, with options that do not exist', async () => {
    const lines = ['run `npx govalid-webhooks send --retries`', '$ npx govalid-webhooks endpoints remove wh-001']
    const words = commandsOn({ path: 'page.md', lines }).map((command) => command.words)
    expect(await Promise.all(words.map(unknownIn))).toEqual(['--retries', 'endpoints remove'])
  })
})
