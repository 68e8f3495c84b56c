/** How the mutation proof judges a run: an unlisted survivor fails it, and so does a listed mutant that no longer survives. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { judgeMutants, type Mutant } from '../../proof/mutation/judge.js'
import { SURVIVORS, type Survivor } from '../../proof/mutation/survivors.js'

const FILE = 'stores/none.ts'
const LINE = readFileSync(resolve('src', FILE), 'utf8').split('\n')[0]?.trim() ?? ''
const mutant = (status: string, replacement = 'x'): Mutant => ({
  fileName: resolve('src', FILE),
  status,
  replacement,
  mutatorName: 'any',
  location: { start: { line: 1 } },
})
const listed = (isEquivalent: boolean): Survivor => ({
  file: FILE,
  line: LINE,
  replacement: 'x',
  isEquivalent,
  reason: '',
})
const SCOPE = ['src/stores/*.ts']

describe('a mutant', () => {
  it.each([
    ['Killed', 1, 0, 0],
    ['Timeout', 1, 0, 0],
    ['Survived', 0, 1, 0],
    ['NoCoverage', 0, 1, 0],
    ['RuntimeError', 0, 0, 0],
    ['Ignored', 0, 0, 1],
  ])('is counted by its status, %s', (status, noticed, survived, untested) => {
    const { files, unlisted } = judgeMutants([mutant(status)], SCOPE, [])
    expect(files).toEqual([{ file: FILE, noticed, equivalent: 0, survived, untested }])
    expect(unlisted).toHaveLength(survived)
  })

  it('may survive if it is listed, and counts as a survivor unless it is equivalent', () => {
    for (const isEquivalent of [true, false]) {
      const { files, unlisted, gone } = judgeMutants([mutant('Survived')], SCOPE, [listed(isEquivalent)])
      expect([unlisted, gone]).toEqual([[], []])
      expect(files[0]).toMatchObject({ equivalent: isEquivalent ? 1 : 0, survived: isEquivalent ? 0 : 1 })
    }
  })

  it('is identified by its line and its replacement', () => {
    expect(judgeMutants([mutant('Survived', 'y')], SCOPE, [listed(true)]).unlisted).toHaveLength(1)
  })

  it('has to be removed from the list if it no longer survives and its file was mutated', () => {
    expect(judgeMutants([mutant('Killed')], SCOPE, [listed(true)]).gone).toHaveLength(1)
    expect(judgeMutants([mutant('Killed')], ['src/crypto/*.ts'], [listed(true)]).gone).toEqual([])
    expect(judgeMutants([mutant('Killed')], undefined, [listed(true)]).gone).toEqual([])
  })
})

test.each(SURVIVORS.map((survivor) => [`${survivor.file}: ${survivor.line}`, survivor] as const))(
  'the line of a listed survivor still exists: %s',
  (_, { file, line, reason }) => {
    const lines = readFileSync(resolve('src', file), 'utf8').split('\n')
    expect(lines.map((each) => each.trim())).toContain(line)
    expect(reason).not.toBe('')
  },
)
