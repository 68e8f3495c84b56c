/** Checks how pages become the site, without building it: every page is in a sidebar, links lead to pages, and blocks become tabs. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyPages, withTabs } from '../../site/pages.mjs'
import { sidebarsOf } from '../../site/sidebar.mjs'
import { slugOf } from '../../site/slug.mjs'
import { anchorsOf, linksOf, type Page, readPage } from './pages.js'

const folder = mkdtempSync(join(tmpdir(), 'govalid-site-'))
copyPages(folder)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pages = globSync('**/*.md', { cwd: folder }).sort()
const read = (path: string): Page => ({ path, lines: readFileSync(join(folder, path), 'utf8').split('\n') })

describe('the sidebars', () => {
  const sidebars = Object.values(sidebarsOf(folder)).flat()
  const links = sidebars.flatMap(({ items }) => items.map(({ link }) => link))

  it('have every page once', () => {
    const files = links.map((link) => `${link.slice(1).replace(/\/$/, '/index')}.md`)
    expect(files.sort()).toEqual(pages.filter((page) => page !== 'index.md'))
  })

  it('have a different title for each page of a room', () => {
    for (const { items } of sidebars) {
      const titles = items.map(({ text }) => text)
      expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
    }
  })

  it('show rooms in the order in which readers need them', () => {
    const titles = sidebarsOf(folder)['/']?.map(({ text }) => text)
    const order = [
      'Guide',
      'Frameworks',
      'How-to',
      'Deploy',
      'Troubleshooting',
      'Stores',
      'Inboxes',
      'Reference',
      'Concepts',
    ]
    expect(titles).toEqual(order)
  })
})

describe('the links of the site', () => {
  it('keep every picture', () => {
    const picturesOn = ({ lines }: Page) => lines.filter((line) => line.startsWith('![')).length
    for (const path of ['guide/how-it-works.md', 'how-to/long-work.md', 'reference/cli.md']) {
      expect(picturesOn(read(path))).toBe(picturesOn(readPage(`docs/${path}`)))
      expect(picturesOn(read(path))).toBeGreaterThan(0)
    }
  })

  it.each(pages)('on %s lead to pages and headings of the site', (path) => {
    const broken = linksOf(read(path)).filter(({ target }) => {
      if (/^https:/.test(target)) return false
      const [name = '', anchor] = target.split('#')
      const file = name === '' ? path : posix.join(posix.dirname(path), name)
      if (/\.(svg|png)$/.test(file)) return globSync(file, { cwd: folder }).length === 0
      return !pages.includes(file) || (anchor !== undefined && !anchorsOf(read(file)).has(anchor))
    })
    expect(broken).toEqual([])
  })
})

describe('the text of the site', () => {
  it('has no declarations that readers need not see', () => {
    expect(pages.filter((page) => read(page).lines.some((line) => /^<!-- \w+:/.test(line)))).toEqual([])
  })

  it('has the blocks between the comments as tabs with their titles', () => {
    const markdown = ['<!-- tabs -->', '', '**npm**', '', '```sh', 'npm i', '```', '', '<!-- /tabs -->'].join('\n')
    expect(withTabs(markdown)).toBe(['::: code-group', '', '```sh [npm]', 'npm i', '```', '', ':::'].join('\n'))
  })

  it('has the anchors that the repository has', () => {
    for (const heading of ['`explain`: why not?', 'retry_pending', "GoValid's delays", 'A – b'])
      expect(anchorsOf({ path: 'page.md', lines: [`# ${heading}`] })).toEqual(
        new Set([slugOf(heading.replaceAll('`', ''))]),
      )
  })
})
