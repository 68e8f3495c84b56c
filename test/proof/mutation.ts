/**
 * `npm run proof:mutation`: the core is changed, a small thing at a time (Stryker), and its tests must notice. Signature, key, claim and completion
 * must be whole; of the rest of the core at least 95 % must be noticed. A mutant that survives stands in `mutation/survivors.ts` with the
 * reason, or the command exits with 1.
 *
 * Options: `--share strict|core` (repeatable; both), `--file GLOB` (instead of a share's files; needs one share), `--concurrency N` (2), `--again`
 * (keeps what the last run found where neither code nor tests have changed), `--static` (also what only runs while a file is loaded, in the core too:
 * every test runs for each, which takes hours), `--record` (write the result into docs/proofs.md).
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
  let kept = true
  const rows: ResultRow[] = []
  const startedAt = performance.now()
  for (const name of values.share) {
    const share = SHARES[name as keyof typeof SHARES]
    if (!share) throw new Error(`no share ${name}; there are ${Object.keys(SHARES).join(', ')}`)
    const files = values.file ?? share.files
    const chosen = { ...share, files, ...(values.static && { ignoresStatic: false }) }
    const results = await mutate(name, chosen, Number(values.concurrency), values.again)
    // Of a part of the files, nothing can be said about what the whole list holds.
    const judgement = judgeMutants(results, values.file === undefined ? share.files : undefined)
    rows.push(...judgement.files.map(rowOf), rowOf({ ...totalOf(judgement.files), file: `${name}, all` }))
    kept = report(name, share, judgement) && kept
  }
  reportResult('mutation', { columns: COLUMNS, rows, startedAt }, values.record)
  return kept ? 0 : 1
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
    // Written in any case, so that a run can be looked at, and the next go on from it.
    incrementalFile: `.reports/mutation-${name}.json`,
    reporters: ['progress-append-only'],
    // Elsewhere: a copy of the tree within the tree is found by every other tool.
    tempDirName: join(tmpdir(), `govalid-mutation-${process.pid}`),
    ignorePatterns: ['/dist', '/docs', '/coverage', '/.reports', '/examples', '/bench', '/test/{next,contract,cli}'],
    timeoutMS: 10_000,
    timeoutFactor: 1.25,
    dryRunTimeoutMinutes: 20,
    allowEmpty: false,
  })
  return stryker.runMutationTest()
}

const COLUMNS = ['mutants', 'noticed', 'equivalent', 'survived', 'not tried', '% noticed']

function rowOf({ file, noticed, equivalent, survived, untried }: FileScore): ResultRow {
  const score = percent(noticed, noticed + survived).toFixed(1)
  return row(file, noticed + equivalent + survived + untried, noticed, equivalent, survived, untried, score)
}

function report(name: string, { least }: Share, { files, unlisted, gone }: Judgement): boolean {
  for (const { file, line, at, replacement, mutator } of unlisted) {
    console.log(`UNLISTED  ${file}:${at} ${mutator}\n    line: ${line}\n    replacement: ${replacement}`)
  }
  for (const { file, line, replacement } of gone) console.log(`GONE  ${file}: ${line} → ${replacement}`)
  const { noticed, survived } = totalOf(files)
  const kept = unlisted.length === 0 && gone.length === 0 && percent(noticed, noticed + survived) >= least
  console.log(`${name}: ${unlisted.length} not listed, ${gone.length} gone: ${kept ? 'as expected' : 'FAILED'}`)
  return kept
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
    untried: sum('untried'),
  }
}

process.exitCode = await prove()
