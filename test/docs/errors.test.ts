/** Checks docs/reference/errors.md: each code has one section, and each section has a meaning, a cause and a fix. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it, test } from 'vitest'
import { QUARANTINED, REFUSED } from '../../src/delivery/messages.js'
import { codesOf } from '../architecture/documentation.js'
import { ROOT, readPage } from './pages.js'

const ERRORS = join(ROOT, 'src/errors.ts')
/** The texts in the sources, with `…` for the parts that are only known at run time. */
const MESSAGES = globSync('src/**/*.ts', { cwd: ROOT })
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n')
  .replaceAll(/['`] \+\s+['`]/g, '')
  .replaceAll("\\'", "'")
/** Returns the share of a message's word triples that occur in the sources. The others contain values, such as a table's name. */
function shareIn(sources: string, message: string): number {
  const words = message.split(' ')
  const triples = words.slice(2).map((_, start) => words.slice(start, start + 3).join(' '))
  return triples.filter((triple) => sources.includes(triple)).length / triples.length
}

const TEXTS: Readonly<Record<string, string>> = { ...REFUSED, ...QUARANTINED }

const program = ts.createProgram([ERRORS], { strict: true, noLib: true })
const codes = [...codesOf(program, ERRORS, 'ErrorCode')].sort()

const { lines } = readPage('docs/reference/errors.md')
const sections = lines.flatMap((line, index) => (line.startsWith('### ') ? [{ code: line.slice(4), index }] : []))
const textOf = (index: number) => {
  const end = lines.findIndex((line, position) => position > index && /^##/.test(line))
  return lines.slice(index + 1, end < 0 ? undefined : end).join('\n')
}

test('the list of error codes is not empty', () => {
  expect(codes.length).toBeGreaterThan(40)
})

test('every code has exactly one section, and every section has a code', () => {
  expect(sections.map(({ code }) => code).sort()).toEqual(codes)
})

describe.each(sections)('$code', ({ code, index }) => {
  it('starts with lines as a log shows them', () => {
    const [, log = ''] = /^\n```text\n([^`]+)\n```\n/.exec(textOf(index)) ?? []
    const logged = log.split('\n').filter((line) => !line.startsWith('    '))
    expect(logged.length).toBeGreaterThan(0)
    for (const line of logged) {
      const [, message] = /^(?:\[govalid-webhooks\] \w+|WebhookError): (.+)$/.exec(line) ?? []
      expect(shareIn(MESSAGES, (message ?? '').replace(/ \| .*/, '')), line).toBeGreaterThan(0.3)
    }
    const known = TEXTS[code]
    if (known !== undefined && code !== 'secret_missing') expect(log).toContain(known.split(/(?<=[.]) /)[0])
  })

  it('has a meaning, a cause and a fix', () => {
    const labels = [...textOf(index).matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, label]) => label)
    expect(labels).toEqual(['Meaning', 'Cause', 'Fix'])
  })
})

test('every code is used in the sources', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).filter((path) => path !== join('src', 'errors.ts'))
  const text = sources.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n')
  expect(codes.filter((code) => !text.includes(`'${code}'`) && !text.includes(`${code}:`))).toEqual([])
})
