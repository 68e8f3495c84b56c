/** Compiles every TypeScript snippet on the pages and in source comments against the current sources. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Whether a block, after its first line with the file's path, is a part of its example file. */
function isInExample({ code, from = '' }: CodeBlock): boolean {
  const [, path = '', rest = ''] = /^(?:\/\/ (\S+)\n)?([\s\S]+)$/.exec(code) ?? []
  return from.endsWith(path) && readFileSync(join(ROOT, from), 'utf8').includes(rest)
}

describe('snippets', { timeout: 120_000 }, () => {
  const blocks = readPages().flatMap(codeBlocksOf)
  const copied = blocks.filter(({ from }) => from !== undefined)
  const onPages = blocks.filter((block) => isTypeScript(block) && block.from === undefined)
  const inComments = examplesInComments().filter(isTypeScript)

  it('compile', () => {
    expect(onPages.length).toBeGreaterThan(20)
    expect(inComments.length).toBeGreaterThan(10)
    expect(compileSnippets([...onPages, ...inComments])).toEqual([])
  })

  it('that are copied from an example are unchanged', () => {
    expect(copied.length).toBeGreaterThan(10)
    expect(
      copied.filter((block) => !isInExample(block)).map(({ page, line, from }) => `${page}:${line} ${from}`),
    ).toEqual([])
  })

  it('that differ from their example are found', () => {
    const block = { page: 'docs/page.md', language: 'ts', line: 1, given: '', from: 'examples/koa/server.ts' }
    expect(isInExample({ ...block, code: '// server.ts\nconst app = new Koa()' })).toBe(true)
    expect(isInExample({ ...block, code: '// server.ts\nconst app = new Koala()' })).toBe(false)
    expect(isInExample({ ...block, code: '// other.ts\nconst app = new Koa()' })).toBe(false)
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
