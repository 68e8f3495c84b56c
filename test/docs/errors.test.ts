/** docs/errors.md: every code has one section, every section one code, and each says the same three things. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it, test } from 'vitest'
import { codesOf } from '../architecture/documentation.js'
import { ROOT, readPage } from './pages.js'

const ERRORS = join(ROOT, 'src/errors.ts')
const program = ts.createProgram([ERRORS], { strict: true, noLib: true })
const codes = [...codesOf(program, ERRORS, 'ErrorCode')].sort()

const { lines } = readPage('docs/errors.md')
const sections = lines.flatMap((line, index) => (line.startsWith('### ') ? [{ code: line.slice(4), index }] : []))
const textOf = (index: number) => {
  const end = lines.findIndex((line, at) => at > index && /^##/.test(line))
  return lines.slice(index + 1, end < 0 ? undefined : end).join('\n')
}

test('there are codes to speak of', () => {
  expect(codes.length).toBeGreaterThan(40)
})

test('every code has exactly one section, and every section is of a code', () => {
  expect(sections.map(({ code }) => code).sort()).toEqual(codes)
})

describe.each(sections)('$code', ({ index }) => {
  it('says its meaning, its cause and its cure', () => {
    const labels = [...textOf(index).matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, label]) => label)
    expect(labels).toEqual(['Meaning', 'Cause', 'Cure'])
  })
})

test('every code is used: none is promised that never comes', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).filter((path) => path !== join('src', 'errors.ts'))
  const text = sources.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n')
  expect(codes.filter((code) => !text.includes(`'${code}'`) && !text.includes(`${code}:`))).toEqual([])
})
