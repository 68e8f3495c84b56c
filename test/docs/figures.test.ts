/** The figures of the summaries are the measured ones: `npm run bench -- --write` and `npm run proof -- NAME --record` write those into their pages. */
import { expect, it } from 'vitest'
import { readPage } from './pages.js'

const PAGES = [
  ['docs/concepts/performance.md', 'docs/contributing/benchmarks.md'],
  ['docs/concepts/tested-claims.md', 'docs/contributing/proofs.md'],
] as const

it.each(PAGES)('every figure of %s is in %s', (summary, results) => {
  const measured = readPage(results).lines.join('\n')
  const claimed = readPage(summary).lines.filter((line) => /^(\| |- \*\*)/.test(line))
  const figures = claimed.flatMap((line) => line.match(/\d[\d,]*\.?\d*/g) ?? []).filter((figure) => figure.length > 2)
  expect(figures.length).toBeGreaterThan(15)
  expect(
    figures.filter((figure) => !new RegExp(`(?<![\\d.,])${figure.replace('.', '\\.')}(?![\\d])`).test(measured)),
  ).toEqual([])
})

it('no recorded proof has failed', () => {
  expect(readPage('docs/contributing/proofs.md').lines.filter((line) => line.includes('FAILED'))).toEqual([])
})
