/** What a run of mutants says: how many were noticed in each file, which survivors nobody has listed, and which of the list are gone. */

import { readFileSync } from 'node:fs'
import { matchesGlob, relative } from 'node:path'
import { SURVIVORS, type Survivor } from './survivors.js'

/** What is used of a mutant's result. */
export interface Mutant {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string | undefined
  readonly location: { readonly start: { readonly line: number } }
}

/** A mutant that survived, and where it is. */
export interface Found {
  readonly file: string
  readonly line: string
  readonly at: number
  readonly replacement: string
  readonly mutator: string
}

/** What became of the mutants of a file. Those that nothing could notice are not among the survivors. */
export interface FileScore {
  readonly file: string
  readonly noticed: number
  readonly equivalent: number
  readonly survived: number
  /** What only runs while a file is loaded, where that is left out. */
  readonly untried: number
}

/** What was found. */
export interface Judgement {
  readonly files: readonly FileScore[]
  readonly unlisted: readonly Found[]
  readonly gone: readonly Survivor[]
}

const NOTICED = ['Killed', 'Timeout']
const UNNOTICED = ['Survived', 'NoCoverage']

/**
 * Judges a run. With `scope` (globs from the repository), a listed survivor of these files that did not survive is gone, and to be taken off the
 * list.
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
    const untried = mutants.filter((mutant) => fileOf(mutant) === file && mutant.status === 'Ignored').length
    return { file, noticed, equivalent, survived: own.length - equivalent, untried }
  })
  const unlisted = found.filter((one) => listed(one) === undefined)
  const inScope = list.filter(({ file }) => scope?.some((glob) => matchesGlob(`src/${file}`, glob)))
  return { files, unlisted, gone: inScope.filter((one) => !found.some((each) => isSame(one, each))) }
}

const fileOf = ({ fileName }: Mutant) => relative('src', relative(process.cwd(), fileName))

function locate(mutant: Mutant): Found {
  const { line: at } = mutant.location.start
  const line = readFileSync(mutant.fileName, 'utf8').split('\n')[at - 1]?.trim() ?? ''
  return { file: fileOf(mutant), line, at, replacement: mutant.replacement ?? '', mutator: mutant.mutatorName }
}

const isSame = (one: Survivor, found: Found) =>
  one.file === found.file && one.line === found.line && one.replacement === found.replacement
