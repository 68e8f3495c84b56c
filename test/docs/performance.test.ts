/** The figures of docs/concepts/performance.md are the ones that `npm run bench -- --write` puts into docs/contributing/benchmarks.md. */
import { expect, it } from 'vitest'
import { readPage } from './pages.js'

const measured = readPage('docs/contributing/benchmarks.md').lines.join('\n')
const claimed = readPage('docs/concepts/performance.md').lines.filter((line) => /^(\| |- \*\*)/.test(line))

it('every figure of the summary is in the benchmarks', () => {
  const figures = claimed.flatMap((line) => line.match(/\d[\d,]*\.?\d*/g) ?? []).filter((figure) => figure.length > 2)
  expect(figures.length).toBeGreaterThan(15)
  expect(
    figures.filter((figure) => !new RegExp(`(?<![\\d.,])${figure.replace('.', '\\.')}(?![\\d])`).test(measured)),
  ).toEqual([])
})
