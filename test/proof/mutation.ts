/**
 * `npm run proof -- mutation`: Stryker changes the core in one small place at a time, and the tests must notice. All mutants of signature, key,
 * claim, completion and crypto must be noticed, and at least 95 % in the rest of the core. A mutant that survives must be listed in
 * `mutation/survivors.ts` with the reason; otherwise the command exits with 1.
 *
 * Options: `--share strict|core` (repeatable; default: both), `--file GLOB` (instead of a share's files; needs one share), `--concurrency N`
 * (default: 2), `--again` (reuses the last results of unchanged code and tests), `--static` (also mutates code of the core that only runs while a
 * file is loaded; every test runs for each of these mutants, which takes hours), `--record` (writes the result into docs/contributing/proofs.md).
 */
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { type FileScore, type Judgement, judgeMutants } from './mutation/judge.js'
import { SHARES, type Share } from './mutation/shares.js'
import { type ResultRow, reportResult, row } from './record.js'

async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      share: { type: 'string', multiple: true, default: Object.keys(SHARES) },
      file: { type: 'string', multiple: true },
      concurrency: { type: 'string', default: String(Math.min(2, availableParallelism())) },
      again: { type: 'boolean', default: false },
      static: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  })
  let isKept = true
  const rows: ResultRow[] = []
  const startedAt = performance.now()
  for (const name of values.share) {
    const share = SHARES[name as keyof typeof SHARES]
    if (!share) throw new Error(`no share ${name}; there are ${Object.keys(SHARES).join(', ')}`)
    const files = values.file ?? share.files
    const chosen = { ...share, files, ...(values.static && { ignoresStatic: false }) }
    const results = await mutate(name, chosen, Number(values.concurrency), values.again)
    // A run of some files can't tell whether the other listed mutants still survive.
    const judgement = judgeMutants(results, values.file === undefined ? share.files : undefined)
    rows.push(...judgement.files.map(rowOf), rowOf({ ...totalOf(judgement.files), file: `${name}, all` }))
    isKept = report(name, share, judgement) && isKept
  }
  reportResult('mutation', { columns: COLUMNS, rows, startedAt }, values.record)
  return isKept ? 0 : 1
}

async function mutate(name: string, share: Share, concurrency: number, again: boolean) {
  const stryker = new Stryker({
    testRunner: 'vitest',
    vitest: { configFile: share.tests, related: false },
    coverageAnalysis: 'perTest',
    mutate: [...share.files],
    concurrency,
    ignoreStatic: share.ignoresStatic,
    incremental: true,
    force: !again,
    // Always written, so that you can inspect a run and continue it with --again.
    incrementalFile: `.reports/mutation-${name}.json`,
    reporters: ['progress-append-only'],
    // Outside of the tree, because other tools would find a copy inside it.
    tempDirName: join(tmpdir(), `govalid-mutation-${process.pid}`),
    ignorePatterns: [
      '/dist',
      '/docs',
      '/coverage',
      '/.reports',
      '/examples',
      '/bench',
      '/test/{next,contract,cli,services,browser}',
    ],
    timeoutMS: 10_000,
    timeoutFactor: 1.25,
    dryRunTimeoutMinutes: 20,
    allowEmpty: false,
  })
  return stryker.runMutationTest()
}

const COLUMNS = ['mutants', 'noticed', 'equivalent', 'survived', 'not tested', '% noticed']

function rowOf({ file, noticed, equivalent, survived, untested }: FileScore): ResultRow {
  const score = percent(noticed, noticed + survived).toFixed(1)
  return row(file, noticed + equivalent + survived + untested, noticed, equivalent, survived, untested, score)
}

function report(name: string, { least }: Share, { files, unlisted, gone }: Judgement): boolean {
  for (const { file, line, lineNumber, replacement, mutator } of unlisted) {
    console.log(`UNLISTED  ${file}:${lineNumber} ${mutator}\n    line: ${line}\n    replacement: ${replacement}`)
  }
  for (const { file, line, replacement } of gone) console.log(`GONE  ${file}: ${line} → ${replacement}`)
  const { noticed, survived } = totalOf(files)
  const isKept = unlisted.length === 0 && gone.length === 0 && percent(noticed, noticed + survived) >= least
  console.log(`${name}: ${unlisted.length} not listed, ${gone.length} gone: ${isKept ? 'as expected' : 'FAILED'}`)
  return isKept
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole
}

function totalOf(files: readonly FileScore[]): FileScore {
  const sum = (count: Exclude<keyof FileScore, 'file'>) => files.reduce((total, file) => total + file[count], 0)
  return {
    file: 'all',
    noticed: sum('noticed'),
    equivalent: sum('equivalent'),
    survived: sum('survived'),
    untested: sum('untested'),
  }
}

process.exitCode = await prove()
