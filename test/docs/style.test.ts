/** Checks the prose of the pages: no phrases that native speakers stumble over, and short sentences. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Page, ROOT, readPages } from './pages.js'
import { MOST_WORDS, phrasesIn, sentencesOf, wordsIn } from './prose.js'

/** A page may have a few longer sentences, for example one that lists many things. */
const LONGER_SENTENCES = { perPage: 2, mostWords: 35 }

/** The pages that still have to be rewritten. Remove a page once it passes, and add none. */
const TO_REWRITE: readonly string[] = [
  'docs/concepts/security.md',
  'docs/contributing/benchmarks.md',
  'docs/contributing/proofs.md',
]

/** Returns what is wrong with the prose of a page. */
function faultsOf(page: Page): readonly string[] {
  const sentences = sentencesOf(page)
  const phrases = sentences.flatMap((sentence) => phrasesIn(sentence).map((phrase) => `${phrase} in: ${sentence}`))
  const long = sentences.filter((sentence) => wordsIn(sentence) > MOST_WORDS)
  const isFine =
    long.length <= LONGER_SENTENCES.perPage && long.every((text) => wordsIn(text) <= LONGER_SENTENCES.mostWords)
  return [...phrases, ...(isFine ? [] : long.map((sentence) => `${wordsIn(sentence)} words: ${sentence}`))]
}

describe.each(
  readPages()
    .filter(({ path }) => !path.startsWith('.changeset/') && !TO_REWRITE.includes(path))
    .map((page) => [page.path, page] as const),
)('the prose of %s', (_path, page) => {
  it('has short sentences without phrases to avoid', () => {
    expect(faultsOf(page)).toEqual([])
  })
})

it('the list of pages to rewrite names only pages', () => {
  expect(TO_REWRITE.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

describe('the style check', () => {
  const page = (...lines: string[]): Page => ({ path: 'page.md', lines })

  it('finds a phrase in a paragraph, a list, a table and a quotation', () => {
    const text = page(
      'Whoever reads',
      'this.',
      '',
      '- It goes on.',
      '',
      '| a | by name |',
      '| --- | --- |',
      '',
      '> Mind the gap.',
    )
    expect(faultsOf(text).map((fault) => /^"([^"]+)"/.exec(fault)?.[1])).toEqual([
      'Whoever',
      'Whoever reads this.',
      'goes on',
      'by name',
      'Mind',
    ])
  })

  it('ignores code, headings and comments', () => {
    const code = ['```ts', '// goes on', '```', '`goes on`', '# Goes on', '<!-- given:', 'goes on', '-->']
    expect(faultsOf(page(...code))).toEqual([])
  })

  it('counts the words of a sentence across lines, with code and links as the reader sees them', () => {
    const [first, second] = sentencesOf(page('Set `a b c` as', '[the docs](x.md) say. Then stop.'))
    expect([first, second]).toEqual(['Set code as the docs say.', 'Then stop.'])
    expect(wordsIn(first ?? '')).toBe(6)
  })

  it('refuses a third long sentence, and any sentence that is far too long', () => {
    const long = (words: number) => `${'word '.repeat(words - 1)}end.`
    expect(faultsOf(page(long(26), '', long(26)))).toEqual([])
    expect(faultsOf(page(long(26), '', long(26), '', long(26)))).toHaveLength(3)
    expect(faultsOf(page(long(36)))).toHaveLength(1)
  })
})
