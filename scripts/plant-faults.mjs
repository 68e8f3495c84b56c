// Plants each fault of test/proof/planted-faults.mjs in a copy of the tree and runs the test that must find it: every one has to
// go red, by that very test, and to be green without the fault. `npm run proof:faults`, or with a part of a name: only those.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FAULTS } from '../test/proof/planted-faults.mjs'

/** @typedef {import('../test/proof/planted-faults.mjs').Fault} Fault */

const root = resolve(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'govalid-faults-'))
const wanted = process.argv[2] ?? ''

/**
 * The names of the tests that failed; `undefined` where the file could not even be loaded.
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
    // A failing test: the report has its name.
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

/** Plants a fault, and gives back what is wrong with how it was found. @param {Fault} fault */
function plant(fault) {
  const { file, find, replace, tests, red } = fault
  const path = join(copy, 'src', file)
  const source = readFileSync(path, 'utf8')
  if (source.split(find).length !== 2) return `the text to replace is not exactly once in src/${file}`
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
  const failures = failuresOf(projectOf(fault), [tests])
  writeFileSync(path, source)
  if (!failures) return `test/${tests} could not be loaded`
  if (failures.some((name) => name.includes(red))) return undefined
  return failures.length === 0
    ? 'nothing went red'
    : `other tests went red, but not "${red}": ${failures.slice(0, 3).join('; ')}`
}

let missed = 0
try {
  for (const entry of ['src', 'test', 'types', 'scripts', 'docs', 'package.json', 'entries.json', 'vitest.config.ts']) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true })
  }
  for (const file of ['tsconfig.base.json', 'tsconfig.json']) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const faults = FAULTS.filter(({ name }) => name.includes(wanted))
  if (faults.length === 0) throw new Error(`no planted fault has "${wanted}" in its name`)
  for (const project of new Set(faults.map(projectOf))) {
    const own = faults.filter((fault) => projectOf(fault) === project)
    const failed = failuresOf(project, [...new Set(own.map(({ tests }) => tests))])
    if (!failed) throw new Error(`nothing of ${project} could be loaded`)
    // Other tests of the files may need more than the copy has.
    const unsound = failed.filter((name) => own.some(({ red }) => name.includes(red)))
    if (unsound.length > 0) throw new Error(`not green without a fault: ${unsound.join('; ')}`)
  }
  for (const fault of faults) {
    const wrong = plant(fault)
    if (wrong !== undefined) missed++
    console.log(`${wrong === undefined ? 'found ' : 'MISSED'}  ${fault.name}${wrong === undefined ? '' : `: ${wrong}`}`)
  }
  console.log(
    `${faults.length - missed} of ${faults.length} planted faults were found by the test that is there for them`,
  )
} finally {
  rmSync(copy, { recursive: true, force: true })
}
if (missed > 0) process.exitCode = 1
