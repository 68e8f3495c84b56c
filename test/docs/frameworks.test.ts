/** Checks that every framework's page has the same parts, and that the list of frameworks names every page and example. */
import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXAMPLES } from '../frameworks/examples.js'
import { linksOf, proseOf, ROOT, readPage } from './pages.js'

const HEADINGS = ['Install', 'Handle deliveries', 'Try it', 'Body parsers', 'Shut down', 'Test']
const LIST = 'docs/frameworks/README.md'
const pages = globSync('docs/frameworks/*.md', { cwd: ROOT, exclude: [LIST] }).sort()

describe.each(pages)('%s', (path) => {
  it('has the six headings', () => {
    const headings = proseOf(readPage(path)).flatMap((line) => /^## (.+)$/.exec(line)?.[1] ?? [])
    expect(headings).toEqual(HEADINGS)
  })
})

describe('the list of frameworks', () => {
  const targets = linksOf(readPage(LIST)).map(({ target }) => target)

  it('links every page', () => {
    expect(pages.filter((path) => !targets.includes(path.slice('docs/frameworks/'.length)))).toEqual([])
  })

  it('links every tested example', () => {
    const folders = EXAMPLES.map(({ name, folder = name }) => `../../examples/${folder}/`)
    expect(folders.filter((folder) => !targets.some((target) => target.startsWith(folder)))).toEqual([])
  })
})
