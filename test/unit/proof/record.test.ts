/** The result table of a proof, and its place in the page. */
import { expect, test } from 'vitest'
import { formatResult, replaceResult, row } from '../../proof/record.js'

const DATE = new Date('2026-11-25T23:59:00Z')

test('formats a result as a table with date, seed and machine', () => {
  const rows = [row('inputs', 5_000_000, 12), row('of these', 'all', 0)]
  const [head, , first, second, , machine] = formatResult({ seed: 7, columns: ['one', 'two'], rows }, DATE).split('\n')
  expect([head, first, second]).toEqual([
    '| 2026-11-25, seed 7 | one | two |',
    '| inputs | 5,000,000 | 12 |',
    '| of these | all | 0 |',
  ])
  expect(machine).toMatch(/^Node \d+\.\d+\.\d+, \d+ cores\.$/)
})

test('replaces the previous result of the same proof, and nothing more', () => {
  const page =
    'before\n<!-- result: a -->\nold\n<!-- end of result -->\nbetween\n<!-- result: b -->\n<!-- end of result -->\n'
  const written = replaceResult(page, 'b', 'new')
  expect(written).toBe(page.replace('<!-- result: b -->\n', '<!-- result: b -->\nnew\n'))
  expect(replaceResult(written, 'a', 'newer')).toContain('<!-- result: a -->\nnewer\n<!-- end of result -->\nbetween')
  expect(() => replaceResult(page, 'c', 'new')).toThrow('no place for the result of c')
})
