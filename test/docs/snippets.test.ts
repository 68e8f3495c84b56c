/** Compiles every TypeScript snippet on the pages and in source comments against the current sources. */
import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileSnippets } from './compile.js'
import { type CodeBlock, codeBlocksOf, ROOT, readPage, readPages } from './pages.js'

const isTypeScript = ({ language }: CodeBlock) => language === 'ts'

/** Returns the code blocks in source comments, without the ` * ` of the comment. */
function examplesInComments(): readonly CodeBlock[] {
  return globSync('src/**/*.ts', { cwd: ROOT }).flatMap((path) => {
    const { lines } = readPage(path)
    return codeBlocksOf({ path, lines: lines.map((line) => line.replace(/^\s*\* ?/, '')) })
  })
}

describe('snippets', { timeout: 120_000 }, () => {
  const onPages = readPages().flatMap(codeBlocksOf).filter(isTypeScript)
  const inComments = examplesInComments().filter(isTypeScript)

  it('compile', () => {
    expect(onPages.length).toBeGreaterThan(20)
    expect(inComments.length).toBeGreaterThan(10)
    expect(compileSnippets([...onPages, ...inComments])).toEqual([])
  })

  it('that do not compile are reported with their line', () => {
    const page = {
      path: 'docs/page.md',
      lines: [
        '<!-- given: declare const secret: string -->',
        '```ts',
        "import { createReceiver } from 'govalid-webhooks'",
        'createReceiver({ secret })',
        '  .on("qr.scanned", (event) => event.data.nonsense)',
        '```',
      ],
    }
    const found = compileSnippets(codeBlocksOf(page))
    expect(found, found.join('\n')).toHaveLength(1)
    expect(found[0]).toMatch(/^docs\/page\.md:5: Property 'nonsense' does not exist/)
  })
})
