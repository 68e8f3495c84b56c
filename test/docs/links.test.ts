/** Every link of every page leads somewhere, and every page is linked. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, linksOf, type Page, ROOT, readPage, readPages } from './pages.js'

const pages = readPages()

/** What is wrong with a link; `undefined` when nothing is. */
function faultOf(page: Page, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined
  if (/^[a-z]+:/.test(target)) return 'is neither https nor relative'
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file))
  if (path.startsWith('..')) return 'leads out of the repository'
  if (!existsSync(join(ROOT, path))) return 'leads nowhere'
  if (anchor === undefined) return undefined
  if (!path.endsWith('.md') || statSync(join(ROOT, path)).isDirectory()) return 'has an anchor in what is no page'
  return anchorsOf(readPage(path)).has(anchor) ? undefined : 'has an anchor that is no heading'
}

describe.each(pages.map((page) => [page.path, page] as const))('the links of %s', (_path, page) => {
  it('lead to files and headings that exist', () => {
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
      // A link to a folder leads to every page in it.
      const isLinked = (page: string) => linked.some((target) => target === page || target === `${dirname(page)}/`)
      queue.push(...pages.map((page) => page.path).filter(isLinked))
    }
    const unreached = pages.map(({ path }) => path).filter((path) => !reached.has(path) && !path.startsWith('.'))
    expect(unreached).toEqual([])
  })
})

describe('the check of links', () => {
  const page: Page = { path: 'docs/page.md', lines: ['# A `title`: with, marks'] }

  it('finds each kind of fault', () => {
    expect(faultOf(page, 'none.md')).toBe('leads nowhere')
    expect(faultOf(page, '../../README.md')).toBe('leads out of the repository')
    expect(faultOf(page, '../README.md#no-such-heading')).toBe('has an anchor that is no heading')
    expect(faultOf(page, '../package.json#name')).toBe('has an anchor in what is no page')
    expect(faultOf(page, 'http://example.com')).toBe('is neither https nor relative')
    expect(faultOf(page, '../README.md#how-a-delivery-flows')).toBe(undefined)
  })

  it('knows the anchors of headings', () => {
    expect([...anchorsOf(page)]).toEqual(['a-title-with-marks'])
  })
})
