// Prints the results of the last test runs in one line, from vitest's JSON reports. Exits with 1 if a test failed.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const reports = ['vitest.json', 'vitest-next.json'].map((name) => resolve(import.meta.dirname, '../.reports', name))

/** @typedef {{ status: string, assertionResults: { status: string }[] }} Suite */

/**
 * Counts a test file that couldn't be loaded as a failure, although it has no tests.
 * @param {string} file
 */
function readReport(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  /** @type {Suite[]} */
  const suites = report.testResults
  const unloaded = suites.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

const runs = reports.map(readReport)
/** @param {'passed' | 'failed' | 'skipped'} count */
const total = (count) => runs.reduce((sum, run) => sum + run[count], 0)
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)
if (total('failed') > 0 || runs.some(({ passed }) => passed === 0)) process.exitCode = 1
