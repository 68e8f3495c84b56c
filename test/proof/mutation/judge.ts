/** Judges a mutation run: the score of each file, the survivors that aren't listed, and the listed mutants that no longer survive. */

import { readFileSync } from 'node:fs'
import { matchesGlob, relative } from 'node:path'
import { SURVIVORS, type Survivor } from './survivors.js'

/** The fields of a mutant's result that are read. */
export interface Mutant {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string | undefined
  readonly location: { readonly start: { readonly line: number } }
}

/** A mutant that survived. */
export interface Found {
  readonly file: string
  /** The line of the mutant, trimmed. */
  readonly line: string
  readonly lineNumber: number
  readonly replacement: string
  readonly mutator: string
}

/** The mutants of a file, counted by their result. Equivalent mutants don't count as survivors. */
export interface FileScore {
  readonly file: string
  readonly noticed: number
  readonly equivalent: number
  readonly survived: number
  /** Mutants that weren't tested because they only run while a file is loaded. */
  readonly untested: number
}

/** The result of a run. */
export interface Judgement {
  readonly files: readonly FileScore[]
  readonly unlisted: readonly Found[]
  /** Listed mutants that no longer survive. */
  readonly gone: readonly Survivor[]
}

const NOTICED = ['Killed', 'Timeout']
const UNNOTICED = ['Survived', 'NoCoverage']

/**
 * Judges a run. `scope`: the globs of the mutated files. A listed mutant in one of these files must survive; without a scope, no listed mutant
 * has to.
 */
export function judgeMutants(
  mutants: readonly Mutant[],
  scope: readonly string[] | undefined,
  list: readonly Survivor[] = SURVIVORS,
): Judgement {
  const names = [...new Set(mutants.map(fileOf))].sort()
  const found = mutants.filter(({ status }) => UNNOTICED.includes(status)).map(locate)
  const listed = (one: Found) => list.find((survivor) => isSame(survivor, one))
  const files = names.map((file) => {
    const noticed = mutants.filter((mutant) => fileOf(mutant) === file && NOTICED.includes(mutant.status)).length
    const own = found.filter((one) => one.file === file)
    const equivalent = own.filter((one) => listed(one)?.isEquivalent === true).length
    const untested = mutants.filter((mutant) => fileOf(mutant) === file && mutant.status === 'Ignored').length
    return { file, noticed, equivalent, survived: own.length - equivalent, untested }
  })
  const unlisted = found.filter((one) => listed(one) === undefined)
  const inScope = list.filter(({ file }) => scope?.some((glob) => matchesGlob(`src/${file}`, glob)))
  return { files, unlisted, gone: inScope.filter((one) => !found.some((each) => isSame(one, each))) }
}

const fileOf = ({ fileName }: Mutant) => relative('src', relative(process.cwd(), fileName))

function locate(mutant: Mutant): Found {
  const { line: lineNumber } = mutant.location.start
  const line = readFileSync(mutant.fileName, 'utf8').split('\n')[lineNumber - 1]?.trim() ?? ''
  return { file: fileOf(mutant), line, lineNumber, replacement: mutant.replacement ?? '', mutator: mutant.mutatorName }
}

const isSame = (one: Survivor, found: Found) =>
  one.file === found.file && one.line === found.line && one.replacement === found.replacement
