// Plants each fault of test/proof/planted-faults.mjs in a copy of the tree and runs the test that must find it. The test has to fail with
// the fault and pass without it. Pass a part of a name to plant only matching faults.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createPlanter } from '../test/proof/planted-faults/plant-fault.mjs'
import { FAULTS } from '../test/proof/planted-faults.mjs'

/** @typedef {import('../test/proof/planted-faults.mjs').Fault} Fault */
/** @typedef {{ readonly status: string, readonly fullName: string }} TestResult */

const root = resolve(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'govalid-faults-'))
const nameFilter = process.argv[2] ?? ''

/**
 * Runs the tests of some faults in the copy. A file that can't be loaded has no results.
 * @param {readonly Fault[]} faults
 * @returns {readonly TestResult[]}
 */
function runTests(faults) {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const titles = [...new Set(faults.map(({ red }) => red.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))].join('|')
  const project = projectOf(faults[0])
  const options = [
    '--config',
    project === 'proofs' ? 'config/vitest.proofs.config.ts' : 'vitest.config.ts',
    '--project',
    project,
    '--testNamePattern',
    titles,
    '--reporter=json',
    `--outputFile=${report}`,
  ]
  const files = [...new Set(faults.map(({ tests }) => `test/${tests}`))]
  try {
    execFileSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...options, ...files], {
      cwd: copy,
      stdio: 'pipe',
    })
  } catch {
    // A test failed. The report has its name.
  }
  if (!existsSync(report)) return []
  /** @type {{ readonly testResults: readonly { readonly assertionResults: readonly TestResult[] }[] }} */
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  return results.filter(({ status }) => status === 'passed' || status === 'failed')
}

/** @param {Fault | undefined} fault */
function projectOf(fault) {
  return fault?.project ?? 'unit'
}

/**
 * Runs the tests without a fault. Returns the names of the faults whose test doesn't exist or fails even so, each with the problem.
 * @param {readonly Fault[]} faults
 */
function findUnsound(faults) {
  /** @type {Map<string, string>} */
  const problems = new Map()
  for (const project of new Set(faults.map(projectOf))) {
    const inProject = faults.filter((fault) => projectOf(fault) === project)
    const results = runTests(inProject)
    for (const { name, tests, red } of inProject) {
      const own = results.filter(({ fullName }) => fullName.includes(red))
      if (own.length === 0) problems.set(name, `test/${tests} ran no test "${red}"`)
      else if (own.some(({ status }) => status !== 'passed')) problems.set(name, `"${red}" fails without the fault`)
    }
  }
  return problems
}

/**
 * Plants a fault and runs its test. Returns `undefined` if the test finds the fault, and the problem otherwise.
 * @param {Fault} fault
 * @param {ReturnType<typeof createPlanter>} plantFault
 */
function tryFault(fault, plantFault) {
  const { path, original, planted } = plantFault(fault)
  writeFileSync(path, planted)
  const results = runTests([fault])
  writeFileSync(path, original)
  if (results.length === 0) return `test/${fault.tests} could not be loaded`
  if (results.some(({ status }) => status === 'failed')) return undefined
  return `"${fault.red}" passes with the fault`
}

let missedCount = 0
try {
  const folders = ['src', 'test', 'types', 'scripts', 'docs', 'config']
  for (const entry of [...folders, 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const faults = FAULTS.filter(({ name }) => name.includes(nameFilter))
  if (faults.length === 0) throw new Error(`No planted fault has "${nameFilter}" in its name.`)
  const unsound = findUnsound(faults)
  const plantFault = createPlanter(join(copy, 'src'))
  for (const fault of faults) {
    const problem = unsound.get(fault.name) ?? tryFault(fault, plantFault)
    if (problem !== undefined) missedCount++
    console.log(
      `${problem === undefined ? 'found ' : 'MISSED'}  ${fault.name}${problem === undefined ? '' : `: ${problem}`}`,
    )
  }
  console.log(`${faults.length - missedCount} of ${faults.length} planted faults were found by their test`)
} finally {
  rmSync(copy, { recursive: true, force: true })
}
if (missedCount > 0) process.exitCode = 1
