// Plants each fault of test/proof/planted-faults.mjs in a copy of the tree and runs the test that must find it. The test has to fail with
// the fault and pass without it. Pass a part of a name to plant only matching faults.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FAULTS } from '../test/proof/planted-faults.mjs'

/** @typedef {import('../test/proof/planted-faults.mjs').Fault} Fault */

const root = resolve(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'govalid-faults-'))
const nameFilter = process.argv[2] ?? ''

/**
 * Returns the names of the tests that failed, or `undefined` if a file couldn't be loaded.
 * @param {string} project
 * @param {readonly string[]} files
 */
function failuresOf(project, files) {
  const report = join(copy, 'report.json')
  const command = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    project,
    '--reporter=json',
    `--outputFile=${report}`,
  ]
  try {
    execFileSync(process.execPath, [...command, ...files.map((file) => `test/${file}`)], { cwd: copy, stdio: 'pipe' })
  } catch {
    // A test failed. The report has its name.
  }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report)
  /** @type {{ status: string, fullName: string }[]} */
  const tests = testResults.flatMap((/** @type {{ assertionResults: object[] }} */ suite) => suite.assertionResults)
  if (tests.length === 0) return undefined
  return tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
}

/** @param {Fault} fault */
function projectOf({ project = 'unit' }) {
  return project
}

/** Plants a fault. Returns `undefined` if its test finds it, and the problem otherwise. @param {Fault} fault */
function plant(fault) {
  const { file, find, replace, tests, red } = fault
  const path = join(copy, 'src', file)
  const source = readFileSync(path, 'utf8')
  if (source.split(find).length !== 2) return `src/${file} must contain the text to replace exactly once`
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
  const failures = failuresOf(projectOf(fault), [tests])
  writeFileSync(path, source)
  if (!failures) return `test/${tests} could not be loaded`
  if (failures.some((name) => name.includes(red))) return undefined
  return failures.length === 0
    ? 'no test failed'
    : `other tests failed, but not "${red}": ${failures.slice(0, 3).join('; ')}`
}

let missedCount = 0
try {
  for (const entry of ['src', 'test', 'types', 'scripts', 'docs', 'package.json', 'entries.json', 'vitest.config.ts']) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true })
  }
  for (const file of ['tsconfig.base.json', 'tsconfig.json']) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const faults = FAULTS.filter(({ name }) => name.includes(nameFilter))
  if (faults.length === 0) throw new Error(`No planted fault has "${nameFilter}" in its name.`)
  for (const project of new Set(faults.map(projectOf))) {
    const projectFaults = faults.filter((fault) => projectOf(fault) === project)
    const failed = failuresOf(project, [...new Set(projectFaults.map(({ tests }) => tests))])
    if (!failed) throw new Error(`No test file of the project ${project} could be loaded.`)
    // Other tests of these files may need files that the copy doesn't have.
    const unsound = failed.filter((name) => projectFaults.some(({ red }) => name.includes(red)))
    if (unsound.length > 0) throw new Error(`These tests fail without a fault: ${unsound.join('; ')}`)
  }
  for (const fault of faults) {
    const problem = plant(fault)
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
