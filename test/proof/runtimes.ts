/**
 * `npm run proof -- runtimes`: runs the packed and installed package on every supported runtime: published vectors on every crypto path, a
 * receiver from end to end, and real HTTP, as ES modules and as CommonJS. Exits with 1 if a result differs.
 *
 * Options: `--only PART` (a part of a runtime's name; repeatable), `--allow-missing` (a missing runtime is reported but no error),
 * `--record` (write the result into docs/contributing/proofs.md).
 */
import { parseArgs } from 'node:util'
import { installPacked } from '../support/packed.js'
import { reportResult } from './record.js'
import { bundlePrograms } from './runtimes/bundles.js'
import { collectVectors } from './runtimes/fixtures.js'
import { COLUMNS, differencesOf, matrixOf } from './runtimes/print-matrix.js'
import { type Finding, proveRuntime } from './runtimes/prove-runtime.js'
import { RUNTIMES, type Wanted } from './runtimes/runtimes.js'

process.exitCode = await prove()

async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [''] },
      'allow-missing': { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  })
  const wanted = RUNTIMES.filter(({ name }) => values.only.some((part) => name.includes(part)))
  if (wanted.length === 0)
    throw new Error(`no such runtime; choose from ${RUNTIMES.map(({ name }) => name).join(', ')}`)
  const startedAt = performance.now()
  const vectors = collectVectors()
  const sets = [...new Set(vectors.map(({ set }) => set))]
  const counts = sets.map((name) => `${name} ${vectors.filter(({ set }) => set === name).length}`)
  console.log(`vectors: ${counts.join(', ')}`)
  const packed = installPacked()
  try {
    const programs = {
      esm: await bundlePrograms(packed.consumer, 'esm'),
      cjs: await bundlePrograms(packed.consumer, 'cjs'),
    }
    const findings: Finding[] = []
    const missing: string[] = []
    for (const one of wanted) {
      const runtime = await find(one)
      if (runtime instanceof Error) missing.push(`MISSING  ${one.name}: ${runtime.message}`)
      else findings.push(...(await proveRuntime(runtime, programs, vectors)))
    }
    const different = differencesOf(findings)
    for (const line of [...different, ...missing]) console.log(line)
    const counted = `${findings.length} checks on ${wanted.length - missing.length} runtimes, ${different.length} differences`
    console.log(counted)
    reportResult('runtimes', { columns: COLUMNS, rows: matrixOf(findings), startedAt }, values.record)
    return different.length > 0 || findings.length === 0 || (missing.length > 0 && !values['allow-missing']) ? 1 : 0
  } finally {
    packed.remove()
  }
}

async function find(wanted: Wanted) {
  try {
    return await wanted.find()
  } catch (error) {
    return error as Error
  }
}
