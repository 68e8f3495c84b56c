/** Checks that every link on every page has a target and that every page is linked. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, linksOf, type Page, ROOT, readPage, readPages } from './pages.js'

const pages = readPages()

/** Returns the problem of a link, or `undefined` if it is fine. */
function faultOf(page: Page, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined
  if (/^[a-z]+:/.test(target)) return 'is neither https nor relative'
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file))
  if (path.startsWith('..')) return 'points outside the repository'
  if (!existsSync(join(ROOT, path))) return 'has no target'
  if (anchor === undefined) return undefined
  if (!path.endsWith('.md') || statSync(join(ROOT, path)).isDirectory())
    return 'has an anchor, but the target is not a page'
  return anchorsOf(readPage(path)).has(anchor) ? undefined : 'has an anchor without a heading'
}

describe.each(pages.map((page) => [page.path, page] as const))('the links on %s', (_path, page) => {
  it('point to existing files and headings', () => {
    const faults = linksOf(page).map(({ line, target }) => [`line ${line}: ${target}`, faultOf(page, target)])
    expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([])
  })
})

describe('every page of the documentation', () => {
  it('can be reached from the README', () => {
    const reached = new Set<string>()
    const queue = ['README.md']
    for (const path of queue) {
      if (reached.has(path)) continue
      reached.add(path)
      const targets = linksOf(readPage(path)).map(({ target }) => target.split('#')[0] ?? '')
      const linked = targets.map((target) => normalize(join(dirname(path), target)))
      // A link to a folder reaches every page in the folder.
      const isLinked = (page: string) => linked.some((target) => target === page || target === `${dirname(page)}/`)
      queue.push(...pages.map((page) => page.path).filter(isLinked))
    }
    const unreached = pages.map(({ path }) => path).filter((path) => !reached.has(path) && !path.startsWith('.'))
    expect(unreached).toEqual([])
  })
})

describe('the link check', () => {
  const page: Page = { path: 'docs/page.md', lines: ['# A `title`: with, punctuation'] }

  it('finds every kind of broken link', () => {
    expect(faultOf(page, 'none.md')).toBe('has no target')
    expect(faultOf(page, '../../README.md')).toBe('points outside the repository')
    expect(faultOf(page, '../README.md#no-such-heading')).toBe('has an anchor without a heading')
    expect(faultOf(page, '../package.json#name')).toBe('has an anchor, but the target is not a page')
    expect(faultOf(page, 'http://example.com')).toBe('is neither https nor relative')
    expect(faultOf(page, '../README.md#follow-a-delivery')).toBe(undefined)
  })

  it('derives anchors from headings like GitHub', () => {
    expect([...anchorsOf(page)]).toEqual(['a-title-with-punctuation'])
  })
})
